-- Give accepted barcodes to the products of their SKUs.
--
-- Called by   include/catalogue/regroup.py
-- Reads       judged, placed, core.sku_barcode
-- Writes      core.product_barcode   new and moved ones are not primary yet
--             core.sku   sku_changed_at, by triggers
-- Run again   nothing written

MERGE INTO core.product_barcode AS known
USING (SELECT claim.gtin, min(placed.product_id) AS product_id, min(claim.first_seen_at) AS first_seen_at
         FROM judged
         JOIN placed USING (sku_key)
         JOIN core.sku_barcode AS claim ON claim.sku_key = judged.sku_key AND claim.gtin = judged.gtin AND claim.sku_key = ANY (ARRAY(SELECT sku_key FROM judged))
        WHERE judged.refused_because IS NULL
        GROUP BY claim.gtin
        ORDER BY claim.gtin) AS accepted
   ON known.gtin = accepted.gtin AND known.gtin = ANY (ARRAY(SELECT gtin FROM judged))
 WHEN MATCHED AND (known.product_id, known.first_seen_at) IS DISTINCT FROM (accepted.product_id, accepted.first_seen_at) THEN
      UPDATE SET product_id = accepted.product_id, first_seen_at = accepted.first_seen_at, is_primary = known.is_primary AND known.product_id = accepted.product_id
 WHEN NOT MATCHED THEN
      INSERT (gtin, product_id, is_primary, first_seen_at) VALUES (accepted.gtin, accepted.product_id, false, accepted.first_seen_at)

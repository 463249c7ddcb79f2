-- Collect barcodes that known SKUs bring and their products do not have.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded), core.sku, core.product_barcode
-- Writes      learned_barcode   temporary; one row per (SKU, barcode), ruled on once: recorded conflicts are left out
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS learned_barcode ON COMMIT DROP AS
SELECT DISTINCT ON (sku.sku_key, given.gtin) sku.sku_key, sku.sku, sku.product_id, given.gtin, offer.file_id,
       EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = sku.product_id AND b.gtin = ANY (offer.gtins)) AS has_known_barcode,
       EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = sku.product_id) AS has_barcode
  FROM staging.offer AS offer
  JOIN core.sku AS sku ON sku.retailer = %(retailer)s AND sku.sku = offer.sku
 CROSS JOIN LATERAL unnest(offer.gtins) AS given (gtin)
 WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
   AND (sku.gtin IS DISTINCT FROM offer.gtins[1] OR cardinality(offer.gtins) > 1)
   AND NOT EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = sku.product_id AND b.gtin = given.gtin)
   AND NOT EXISTS (SELECT FROM ops.barcode_conflict AS c WHERE c.retailer = %(retailer)s AND c.sku = offer.sku AND c.gtin = given.gtin)
 ORDER BY sku.sku_key, given.gtin, offer.observed_at DESC, offer.file_id DESC

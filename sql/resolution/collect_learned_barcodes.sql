-- Collect barcodes of known SKUs that their products do not have.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded), core.sku, core.product_barcode
-- Writes      learned_barcode   temporary; one row per (SKU, barcode), without recorded conflicts
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS learned_barcode ON COMMIT DROP AS
SELECT DISTINCT ON (given.sku_key, given.gtin) given.sku_key, given.sku, given.product_id, given.gtin, given.file_id,
       EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = given.product_id AND b.gtin = ANY (given.gtins)) AS has_known_barcode,
       EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = given.product_id) AS has_barcode
  FROM (SELECT sku.sku_key, sku.sku, sku.product_id, offer.gtins, unnest(offer.gtins) AS gtin, offer.file_id, offer.observed_at
          FROM staging.offer AS offer
          JOIN core.sku AS sku ON sku.retailer = %(retailer)s AND sku.sku = offer.sku
         WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
           AND (sku.gtin IS DISTINCT FROM offer.gtins[1] OR cardinality(offer.gtins) > 1)) AS given
 WHERE NOT EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = given.product_id AND b.gtin = given.gtin)
   AND NOT EXISTS (SELECT FROM ops.barcode_conflict AS c WHERE c.retailer = %(retailer)s AND c.sku = given.sku AND c.gtin = given.gtin)
 ORDER BY given.sku_key, given.gtin, given.observed_at DESC, given.file_id DESC

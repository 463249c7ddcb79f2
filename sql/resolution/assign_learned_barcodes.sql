-- Add an unowned learned barcode to its product, if that has no barcode or another barcode of the same line.
--
-- Called by   include/catalogue/resolve.py, after conflicts are recorded
-- Parameters  retailer text; now timestamptz
-- Reads       learned_barcode, ops.barcode_conflict; of several SKUs of a product without a barcode the first decides, the others follow in the next round
-- Writes      core.product_barcode
-- Run again   nothing written

INSERT INTO core.product_barcode (gtin, product_id, is_primary, first_seen_at)
SELECT gtin, product_id,
       row_number() OVER (PARTITION BY product_id ORDER BY gtin) = 1
           AND NOT EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = free.product_id AND b.is_primary),
       %(now)s
  FROM (SELECT DISTINCT ON (gtin) gtin, product_id
          FROM (SELECT *, min(sku_key) OVER (PARTITION BY product_id) AS first_sku_key FROM learned_barcode) AS learned
         WHERE (has_barcode OR sku_key = first_sku_key)
           AND NOT EXISTS (SELECT FROM ops.barcode_conflict AS c WHERE c.retailer = %(retailer)s AND c.sku = learned.sku AND c.gtin = learned.gtin)
           AND NOT EXISTS (SELECT FROM core.product_barcode AS b WHERE b.gtin = learned.gtin)
         ORDER BY gtin, sku_key) AS free
 ORDER BY gtin
    ON CONFLICT (gtin) DO NOTHING

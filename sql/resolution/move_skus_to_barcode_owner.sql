-- Move SKUs whose product has no barcode to the product that owns the learned one, and log the move.
--
-- Called by   include/catalogue/resolve.py, after conflicts are recorded
-- Parameters  retailer text; now timestamptz
-- Reads       learned_barcode, core.product_barcode, ops.barcode_conflict
-- Writes      core.sku, ops.merge_log
-- Run again   nothing written: a moved SKU's product has the barcode

WITH found AS (
    SELECT DISTINCT ON (learned_barcode.sku_key) learned_barcode.sku_key, learned_barcode.product_id AS from_product_id, owned.product_id AS to_product_id, learned_barcode.gtin
      FROM learned_barcode
      JOIN core.product_barcode AS owned ON owned.gtin = learned_barcode.gtin
     WHERE NOT learned_barcode.has_barcode AND owned.product_id <> learned_barcode.product_id
       AND NOT EXISTS (SELECT FROM ops.barcode_conflict AS c WHERE c.retailer = %(retailer)s AND c.sku = learned_barcode.sku AND c.gtin = learned_barcode.gtin)
     ORDER BY learned_barcode.sku_key, learned_barcode.gtin
), moved AS (
    UPDATE core.sku
       SET product_id = found.to_product_id, joined_by = 'barcode', match_evidence = jsonb_build_object('gtin', found.gtin), joined_at = %(now)s
      FROM found
     WHERE core.sku.sku_key = found.sku_key AND core.sku.product_id = found.from_product_id
    RETURNING core.sku.sku_key, found.from_product_id, found.to_product_id, found.gtin
)
INSERT INTO ops.merge_log (sku_key, from_product_id, to_product_id, merged_by, evidence, merged_at)
SELECT sku_key, from_product_id, to_product_id, 'barcode', jsonb_build_object('gtin', gtin), %(now)s
  FROM moved
 ORDER BY sku_key

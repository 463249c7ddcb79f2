-- List the barcodes that the SKUs of one product claim, with where each comes from and what became of it.
--
-- Called by   include/diagnostics/inspect_product.py
-- Parameters  product_id bigint
-- Reads       core.sku, core.sku_barcode, core.product_barcode
-- Run again   same result while the catalogue is the same

WITH claim AS MATERIALIZED (
    SELECT sku.retailer, sku.sku, claim.gtin, claim.source, claim.file_id, claim.first_seen_at, claim.refused_because
      FROM core.sku_barcode AS claim
      JOIN core.sku AS sku USING (sku_key)
     WHERE sku.product_id = %(product_id)s AND claim.sku_key = ANY (ARRAY(SELECT known.sku_key FROM core.sku AS known WHERE known.product_id = %(product_id)s))
)
SELECT claim.gtin, claim.retailer, claim.sku, claim.source, claim.file_id, claim.first_seen_at, claim.refused_because,
       (SELECT owner.product_id FROM core.product_barcode AS owner WHERE owner.gtin = claim.gtin) AS owner_product_id,
       coalesce((SELECT owner.is_primary FROM core.product_barcode AS owner WHERE owner.gtin = claim.gtin AND owner.product_id = %(product_id)s), false) AS is_primary
  FROM claim
 ORDER BY claim.gtin, claim.first_seen_at, claim.retailer, claim.sku

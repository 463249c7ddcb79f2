-- List barcodes that SKUs of several products claim: one code on two goods, or one good twice.
--
-- Called by   include/diagnostics/duplicates.py
-- Parameters  rows_max integer
-- Reads       core.sku_barcode, core.sku
-- Run again   same result while the catalogue is the same

WITH shared AS (
    SELECT claim.gtin, array_agg(DISTINCT sku.product_id) AS product_ids, array_agg(sku.retailer || ':' || sku.sku || ' ' || sku.name ORDER BY sku.retailer, sku.sku) AS claimed_by
      FROM core.sku_barcode AS claim
      JOIN core.sku AS sku USING (sku_key)
     GROUP BY claim.gtin
    HAVING count(DISTINCT sku.product_id) > 1
)
SELECT gtin, product_ids, claimed_by[:6] AS claimed_by, count(*) OVER ()::integer AS found
  FROM shared
 ORDER BY cardinality(product_ids) DESC, gtin
 LIMIT %(rows_max)s

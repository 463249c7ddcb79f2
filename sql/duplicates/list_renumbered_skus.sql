-- List products that a retailer lists under another number than before: one SKU that no store lists any more, and one that became known later.
--
-- Called by   include/diagnostics/duplicates.py
-- Parameters  rows_max integer
-- Reads       core.sku, core.price
-- Run again   same result while the catalogue is the same

WITH twice AS MATERIALIZED (
    SELECT sku_key, retailer, product_id, sku, name, count(*) OVER (PARTITION BY retailer, product_id) AS skus FROM core.sku
), candidate AS MATERIALIZED (
    SELECT sku_key, retailer, product_id, sku, name FROM twice WHERE skus > 1
), listed AS (
    SELECT sku_key FROM core.price WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM candidate)) AND is_listed GROUP BY sku_key
), judged AS MATERIALIZED (
    SELECT candidate.*, listed.sku_key IS NOT NULL AS is_listed FROM candidate LEFT JOIN listed USING (sku_key)
), gone AS (
    SELECT retailer, product_id, max(sku) AS sku, max(sku_key) AS sku_key FROM judged WHERE NOT is_listed GROUP BY retailer, product_id
), present AS (
    SELECT retailer, product_id, max(sku) AS sku, max(name) AS name, max(sku_key) AS sku_key FROM judged WHERE is_listed GROUP BY retailer, product_id
)
SELECT gone.retailer, gone.sku AS former_sku, present.sku, present.name, gone.product_id, count(*) OVER ()::integer AS found
  FROM gone
  JOIN present USING (retailer, product_id)
 WHERE present.sku_key > gone.sku_key
 ORDER BY gone.retailer, gone.product_id
 LIMIT %(rows_max)s

-- List the moves of SKUs to and from one product, the newest first.
--
-- Called by   include/diagnostics/inspect_product.py
-- Parameters  product_id bigint
-- Reads       ops.merge_log, core.sku
-- Run again   same result while no SKU moves

SELECT log.merged_at, (SELECT sku.retailer || ':' || sku.sku FROM core.sku AS sku WHERE sku.sku_key = log.sku_key) AS sku, log.from_product_id, log.to_product_id, log.merged_by,
       log.evidence, log.undone_at
  FROM ops.merge_log AS log
 WHERE %(product_id)s IN (log.from_product_id, log.to_product_id)
 ORDER BY log.merge_id DESC

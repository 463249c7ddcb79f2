-- List the SKUs of a product with what joined each.
--
-- Called by   include/diagnostics/inspect_catalogue.py
-- Parameters  product_id bigint
-- Reads       core.sku
-- Run again   same result

SELECT sku_key, retailer, sku, name, brand, size, joined_by, match_evidence, joined_at
  FROM core.sku
 WHERE product_id = %(product_id)s
 ORDER BY retailer, sku

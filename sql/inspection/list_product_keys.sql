-- List the keys that lead to one product, with the number of products that each leads to.
--
-- Called by   include/diagnostics/inspect_product.py
-- Parameters  product_id bigint
-- Reads       core.product_alias
-- Run again   same result while the catalogue is the same

SELECT product_key, count(DISTINCT product_id)::integer AS products, min(rule_version) AS rule_version
  FROM core.product_alias
 WHERE product_key = ANY (ARRAY(SELECT mine.product_key FROM core.product_alias AS mine WHERE mine.product_id = %(product_id)s))
 GROUP BY product_key
 ORDER BY product_key

-- List products that several keys lead to, those with the most keys first.
--
-- Called by   include/diagnostics/duplicates.py
-- Parameters  rows_max integer
-- Reads       core.product_alias, core.product
-- Run again   same result while the catalogue is the same

WITH several AS (
    SELECT product_id, array_agg(DISTINCT product_key) AS keys FROM core.product_alias GROUP BY product_id HAVING count(DISTINCT product_key) > 1
), shown AS (
    SELECT product_id, keys, count(*) OVER ()::integer AS found FROM several ORDER BY cardinality(keys) DESC, product_id LIMIT %(rows_max)s
)
SELECT shown.product_id, (SELECT product.name FROM core.product AS product WHERE product.product_id = shown.product_id) AS name, shown.keys, shown.found
  FROM shown
 ORDER BY cardinality(shown.keys) DESC, shown.product_id

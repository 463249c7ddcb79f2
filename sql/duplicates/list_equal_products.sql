-- List products that share everything, name, brand, size and private label, and are two all the same.
--
-- Called by   include/diagnostics/duplicates.py
-- Parameters  rows_max integer
-- Reads       core.product, core.sku
-- Run again   same result while the catalogue is the same

WITH alive AS (
    SELECT product_id, array_agg(retailer || ':' || sku ORDER BY retailer, sku) AS skus FROM core.sku GROUP BY product_id
), equal AS (
    SELECT min(product.name) AS name, min(product.size) AS size, array_agg(product.product_id ORDER BY product.product_id) AS product_ids,
           array_agg(alive.skus[1] ORDER BY product.product_id) AS skus
      FROM core.product AS product
      JOIN alive USING (product_id)
     GROUP BY lower(product.name), product.brand_id, coalesce(product.size_quantity::text, lower(product.size)), product.size_unit, product.own_label_of
    HAVING count(*) > 1
)
SELECT name, size, product_ids, skus, count(*) OVER ()::integer AS found
  FROM equal
 ORDER BY cardinality(product_ids) DESC, product_ids[1]
 LIMIT %(rows_max)s

-- Find products by the words of a SKU's name and brand, or by a SKU itself; those of most retailers first.
--
-- Called by   include/diagnostics/inspect_product.py
-- Parameters  words text (as in a web search; null = by SKU); retailer and sku text; rows_max integer
-- Reads       core.sku (index sku_words), core.product
-- Run again   same result while the catalogue is the same

WITH matching AS (
    SELECT product_id, count(DISTINCT retailer)::integer AS retailers, min(length(name)) AS name_length
      FROM core.sku
     WHERE to_tsvector('english', name || ' ' || coalesce(brand, '')) @@ websearch_to_tsquery('english', %(words)s) OR retailer = %(retailer)s AND sku = %(sku)s
     GROUP BY product_id
)
SELECT product.product_id, product.name, product.size, matching.retailers
  FROM matching
  JOIN core.product AS product USING (product_id)
 WHERE product.product_id = ANY (ARRAY(SELECT product_id FROM matching))
 ORDER BY matching.retailers DESC, matching.name_length, product.product_id
 LIMIT %(rows_max)s

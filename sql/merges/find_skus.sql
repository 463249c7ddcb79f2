-- Find SKUs by name, with all others of their products.
--
-- Called by   include/catalogue/sku_decisions.py
-- Parameters  retailers text[]; skus text[], one for each
-- Reads       core.sku
-- Run again   same result

WITH named AS MATERIALIZED (
    SELECT known.sku_key, known.product_id
      FROM unnest(%(retailers)s::text[], %(skus)s::text[]) AS wanted (retailer, sku)
      JOIN core.sku AS known USING (retailer, sku)
)
SELECT sku_key, product_id, retailer, sku, sku_key = ANY (ARRAY(SELECT sku_key FROM named)) AS is_named
  FROM core.sku
 WHERE product_id = ANY (ARRAY(SELECT product_id FROM named))
 ORDER BY sku_key

-- List the SKUs of one product: what joined each, on what evidence, and what its stores ask.
--
-- Called by   include/diagnostics/inspect_product.py
-- Parameters  product_id bigint
-- Reads       core.sku, core.price
-- Run again   same result while catalogue and prices are the same

WITH mine AS MATERIALIZED (
    SELECT sku_key, retailer, sku, name, brand, size, joined_by, match_evidence, joined_at, former_until_at FROM core.sku WHERE product_id = %(product_id)s
), asked AS (
    SELECT sku_key, count(*) FILTER (WHERE is_listed)::integer AS stores, min(price_cents) FILTER (WHERE is_listed) AS price_cents_min,
           max(price_cents) FILTER (WHERE is_listed) AS price_cents_max
      FROM core.price
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM mine))
     GROUP BY sku_key
)
SELECT mine.retailer, mine.sku, mine.name, mine.brand, mine.size, mine.joined_by, mine.joined_at, mine.match_evidence, mine.former_until_at,
       coalesce(asked.stores, 0) AS stores, asked.price_cents_min, asked.price_cents_max
  FROM mine
  LEFT JOIN asked USING (sku_key)
 ORDER BY mine.retailer, mine.sku

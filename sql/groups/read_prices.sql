-- Read the prices of stores that were observed in the price week to compare, packed: one value of 8 bytes per price.
--
-- Called by   include/groups/maintenance.py
-- Parameters  store_keys integer[]; week_starts timestamptz[]: where each store's price week began
-- Reads       core.price   listed, available ones only; core.store
-- Units       a value is sku_key * 2^32 + cents * 4 + place of the price basis in (each, kg, L, m), big-endian
-- Run again   same result, in whatever order

SELECT price.store_key,
       string_agg(int8send(price.sku_key * 4294967296 + price.price_cents * 4 + CASE price.price_basis WHEN 'each' THEN 0 WHEN 'kg' THEN 1 WHEN 'L' THEN 2 ELSE 3 END), ''::bytea) AS prices
  FROM core.price AS price
  JOIN unnest(%(store_keys)s::integer[], %(week_starts)s::timestamptz[]) AS wanted (store_key, week_start_at) USING (store_key)
  JOIN core.store AS store USING (store_key)
 WHERE price.store_key = ANY (%(store_keys)s::integer[]) AND price.is_listed AND price.is_available AND price.retracted_at IS NULL
   AND CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, store.complete_at) ELSE price.observed_at END >= wanted.week_start_at
 GROUP BY price.store_key

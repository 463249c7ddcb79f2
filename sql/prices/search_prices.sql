-- Find products by words and size, with their listed prices per retailer: the products that most retailers have come first.
--
-- Called by   include/readers/search.py
-- Parameters  words text (as in a web search: all of them, "quoted ones" side by side, -without); size_quantity numeric and size_unit text (null = any size;
--             else sizes within 1 percent); state text (null = any); store_keys integer[] (null = any store);
--             candidates integer and products integer (how many products to look at and to return)
-- Reads       core.sku, core.product (index sku_words), core.served_price, core.store
-- Run again   same result while prices are the same

WITH matching AS (
    SELECT product_id, count(DISTINCT retailer) AS retailers, min(length(name)) AS name_length
      FROM core.sku
     WHERE to_tsvector('english', name || ' ' || coalesce(brand, '')) @@ websearch_to_tsquery('english', %(words)s)
     GROUP BY product_id
), candidate AS (
    SELECT matching.*, product.name, product.size
      FROM matching
      JOIN core.product AS product USING (product_id)
     WHERE product.product_id = ANY (ARRAY(SELECT product_id FROM matching))
       AND (%(size_unit)s::text IS NULL
            OR product.size_unit = %(size_unit)s AND product.size_quantity BETWEEN 0.99 * %(size_quantity)s::numeric AND 1.01 * %(size_quantity)s::numeric)
     ORDER BY retailers DESC, name_length, product_id
     LIMIT %(candidates)s
), candidate_sku AS (
    SELECT sku_key, product_id, retailer, sku FROM core.sku WHERE product_id = ANY (ARRAY(SELECT product_id FROM candidate))
), known AS (          -- one price per product and store, as in core.product_price
    SELECT DISTINCT ON (served.product_id, served.store_key) served.product_id, served.retailer, served.store_key, served.price_cents, served.was_price_cents, served.unit_price,
           served.unit_of_measure, served.price_basis, served.multi_buy_quantity, served.multi_buy_cents, served.is_on_special, served.is_available, served.observed_at, served.is_current, served.source
      FROM core.served_price AS served
      JOIN core.store AS st USING (store_key)
     WHERE served.sku_key = ANY (ARRAY(SELECT sku_key FROM candidate_sku)) AND served.is_listed
       AND (%(state)s::text IS NULL OR st.state = %(state)s) AND (%(store_keys)s::integer[] IS NULL OR st.store_key = ANY (%(store_keys)s))
     ORDER BY served.product_id, served.store_key, served.is_available DESC, served.observed_at DESC, served.price_cents, served.sku
), newest AS (         -- current prices where a retailer has any, else the known ones
    SELECT *, bool_or(is_current) OVER (PARTITION BY product_id, retailer) AS has_current FROM known
), offered AS (
    SELECT product_id, retailer, unit_of_measure, price_basis, min(price_cents) AS price_cents_min, max(price_cents) AS price_cents_max,
           min(unit_price)::float AS unit_price_min, max(unit_price)::float AS unit_price_max, count(*)::integer AS stores,
           count(*) FILTER (WHERE is_on_special)::integer AS stores_on_special, max(was_price_cents) FILTER (WHERE is_on_special) AS was_price_cents,
           (array_agg(multi_buy_quantity ORDER BY multi_buy_cents::numeric / multi_buy_quantity) FILTER (WHERE multi_buy_cents IS NOT NULL))[1] AS multi_buy_quantity,
           (array_agg(multi_buy_cents ORDER BY multi_buy_cents::numeric / multi_buy_quantity) FILTER (WHERE multi_buy_cents IS NOT NULL))[1] AS multi_buy_cents,
           count(*) FILTER (WHERE is_available)::integer AS stores_available, count(*) FILTER (WHERE source = 'inferred')::integer AS stores_inferred, bool_and(is_current) AS is_current, min(observed_at) AS oldest_at
      FROM newest
     WHERE is_current OR NOT has_current
     GROUP BY product_id, retailer, unit_of_measure, price_basis
), chosen AS (
    SELECT product_id, name, size, row_number() OVER (ORDER BY count(DISTINCT offered.retailer) DESC, max(retailers) DESC, min(name_length), product_id) AS place
      FROM candidate
      JOIN offered USING (product_id)
     GROUP BY product_id, name, size
)
SELECT chosen.place::integer, chosen.name, chosen.size, offered.*
  FROM chosen
  JOIN offered USING (product_id)
 WHERE chosen.place <= %(products)s
 ORDER BY chosen.place, offered.price_cents_min, offered.retailer

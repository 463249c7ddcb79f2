-- The stores of a retailer, by state and id.
--
-- Called by   include/crawling/discovery.py
-- Parameters  retailer text; state text (null = all)
-- Reads       core.store
-- Run again   same result

SELECT store_id, online_store_id, name, state, postcode, division, is_confirmed, is_supermarket, is_trading, absences, closed_at, discovered_at, complete_at
  FROM core.store
 WHERE retailer = %(retailer)s AND (%(state)s::text IS NULL OR state = %(state)s)
 ORDER BY state, store_id

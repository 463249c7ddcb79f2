-- The instant of each store's newest complete store-day.
--
-- Called by   include/readers/published.py
-- Reads       core.store
-- Run again   same result while nothing is published

SELECT retailer, store_id, complete_at FROM core.store WHERE complete_at IS NOT NULL ORDER BY retailer, store_id

-- Count the closed stores of a retailer.
--
-- Called by   include/crawling/discovery.py
-- Parameters  retailer text
-- Reads       core.store
-- Run again   same result until the next discovery

SELECT count(*)::integer AS closed FROM core.store WHERE retailer = %(retailer)s AND closed_at IS NOT NULL

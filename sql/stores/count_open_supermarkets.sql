-- Count the confirmed open supermarkets of a retailer.
--
-- Called by   include/crawling/discovery.py
-- Parameters  retailer text
-- Reads       core.store
-- Run again   same result until the next discovery

SELECT count(*)::integer AS known FROM core.store WHERE retailer = %(retailer)s AND is_supermarket AND is_confirmed AND closed_at IS NULL

-- Find a site's robots.txt of this run.
--
-- Called by   include/crawling/postgres_limiter.py
-- Parameters  retailer, scope text
-- Reads       ops.robots_txt
-- Run again   same result

SELECT address, status, body FROM ops.robots_txt WHERE retailer = %(retailer)s AND scope = %(scope)s

-- Find what a site's robots.txt said in this run.
--
-- Called by   include/crawling/postgres_limiter.py
-- Parameters  retailer, scope text
-- Reads       ops.robots_txt
-- Run again   same answer

SELECT address, status, body FROM ops.robots_txt WHERE retailer = %(retailer)s AND scope = %(scope)s

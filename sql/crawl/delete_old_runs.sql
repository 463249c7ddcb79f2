-- Delete the breakers and robots.txt of old runs.
--
-- Called by   include/crawling/postgres_limiter.py
-- Parameters  before timestamptz
-- Writes      ops.crawl_breaker, ops.robots_txt   rows are deleted
-- Run again   nothing written

WITH breakers AS (DELETE FROM ops.crawl_breaker WHERE changed_at < %(before)s)
DELETE FROM ops.robots_txt WHERE fetched_at < %(before)s

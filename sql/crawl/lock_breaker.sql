-- Read the breaker of a run, locked until the transaction ends.
--
-- Called by   include/crawling/breaker.py
-- Parameters  retailer, scope text
-- Reads       ops.crawl_breaker
-- Run again   same result

SELECT state, failures, kind, reason, probe_store, changed_at
  FROM ops.crawl_breaker
 WHERE retailer = %(retailer)s AND scope = %(scope)s
   FOR UPDATE

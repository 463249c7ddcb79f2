-- Save the breaker's new state.
--
-- Called by   include/crawling/breaker.py, under the lock of crawl/lock_breaker
-- Parameters  retailer, scope, state, kind, reason, probe_store text; failures integer; changed_at timestamptz: the machine's clock
-- Writes      ops.crawl_breaker   one row
-- Run again   same rows

UPDATE ops.crawl_breaker
   SET state = %(state)s, failures = %(failures)s, kind = %(kind)s, reason = %(reason)s, probe_store = %(probe_store)s, changed_at = %(changed_at)s
 WHERE retailer = %(retailer)s AND scope = %(scope)s

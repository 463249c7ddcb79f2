-- Create the breaker of a run, closed, unless it exists.
--
-- Called by   include/crawling/breaker.py
-- Parameters  retailer, scope text; now timestamptz: the machine's clock
-- Writes      ops.crawl_breaker   a new row per retailer and run
-- Run again   nothing written

INSERT INTO ops.crawl_breaker (retailer, scope, state, failures, changed_at)
VALUES (%(retailer)s, %(scope)s, 'closed', 0, %(now)s)
    ON CONFLICT (retailer, scope) DO NOTHING

-- Save a site's robots.txt: the first response of a run.
--
-- Called by   include/crawling/postgres_limiter.py
-- Parameters  retailer, scope, address, body text; status integer; now timestamptz
-- Writes      ops.robots_txt   one row per retailer and run
-- Run again   nothing written

INSERT INTO ops.robots_txt (retailer, scope, address, status, body, fetched_at)
VALUES (%(retailer)s, %(scope)s, %(address)s, %(status)s, %(body)s, %(now)s)
    ON CONFLICT (retailer, scope) DO NOTHING

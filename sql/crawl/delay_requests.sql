-- Pause all requests to a site until an instant (Retry-After).
--
-- Called by   include/crawling/postgres_limiter.py
-- Parameters  retailer text; not_before timestamptz: the machine's clock
-- Reads       ops.request_limit
-- Writes      ops.request_limit   the retailer's row
-- Run again   nothing written

INSERT INTO ops.request_limit AS last (retailer, request_id, next_request_at)
VALUES (%(retailer)s, 'retry-after', %(not_before)s)
    ON CONFLICT (retailer) DO UPDATE
   SET next_request_at = excluded.next_request_at, request_id = excluded.request_id
 WHERE last.next_request_at < excluded.next_request_at

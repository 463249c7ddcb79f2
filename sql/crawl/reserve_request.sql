-- Reserve the time of the next request to a site: now, or a pause after the last reserved one.
--
-- Called by   include/crawling/postgres_limiter.py
-- Parameters  retailer, request_id text: of this request; now timestamptz: the machine's clock; min_interval_seconds float: minimum pause before this request
-- Reads       ops.request_limit
-- Writes      ops.request_limit   the retailer's row
-- Run again   same rows: one reservation per request_id

INSERT INTO ops.request_limit AS last (retailer, request_id, next_request_at)
VALUES (%(retailer)s, %(request_id)s, %(now)s)
    ON CONFLICT (retailer) DO UPDATE
   SET next_request_at = CASE WHEN last.request_id = excluded.request_id THEN last.next_request_at
                      ELSE greatest(last.next_request_at + make_interval(secs => %(min_interval_seconds)s), excluded.next_request_at) END,
       request_id = excluded.request_id
RETURNING next_request_at

-- Request stores to be crawled before all others; a request that is waiting already stays.
--
-- Called by   include/crawling/crawl_requests.py
-- Parameters  retailer text; store_ids, reasons text[]: why, one per store; requested_by text; now timestamptz
-- Writes      ops.crawl_request   one row per store
-- Run again   nothing written

INSERT INTO ops.crawl_request (retailer, store_id, reason, requested_by, requested_at)
SELECT %(retailer)s, store_id, reason, %(requested_by)s, %(now)s
  FROM unnest(%(store_ids)s::text[], %(reasons)s::text[]) AS requested (store_id, reason)
    ON CONFLICT (retailer, store_id) DO NOTHING

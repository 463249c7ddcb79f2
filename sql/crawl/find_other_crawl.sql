-- Find another run that crawled a store completely for the same night, since an instant.
--
-- Called by   include/crawling/alone.py
-- Parameters  retailer, store_id, run_key text; night date; since timestamptz
-- Reads       ops.crawl_outcome
-- Run again   same result until a run crawls the store

SELECT run_key
  FROM ops.crawl_outcome
 WHERE retailer = %(retailer)s AND store_id = %(store_id)s AND night = %(night)s AND run_key <> %(run_key)s AND is_complete AND recorded_at >= %(since)s
 ORDER BY recorded_at DESC
 LIMIT 1

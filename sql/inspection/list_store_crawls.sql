-- List the last crawls of one store, the newest first.
--
-- Called by   include/diagnostics/inspect_store.py
-- Parameters  retailer, store_id text; rows_max integer
-- Reads       ops.crawl_outcome
-- Run again   same result until the next crawl

SELECT night, run_key, state, is_complete, rows, pages, requests, reason, started_at, finished_at
  FROM ops.crawl_outcome
 WHERE retailer = %(retailer)s AND store_id = %(store_id)s
 ORDER BY started_at DESC, run_key
 LIMIT %(rows_max)s

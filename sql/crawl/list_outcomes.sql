-- List the outcomes of a run so far: of each store that of its last attempt; the manifest may be of an earlier one.
--
-- Called by   include/crawling/outcomes.py
-- Parameters  retailer, run_key text
-- Reads       ops.crawl_outcome
-- Run again   same result

SELECT store_id, state, is_complete, error_kind, manifest, rows, reason
  FROM ops.crawl_outcome
 WHERE retailer = %(retailer)s AND run_key = %(run_key)s
 ORDER BY store_id

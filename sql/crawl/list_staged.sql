-- List what a run has staged so far, also by attempts before the last one.
--
-- Called by   include/crawling/outcomes.py
-- Parameters  retailer, run_key text
-- Reads       ops.crawl_outcome
-- Run again   same answer

SELECT store_id, state, manifest, rows, reason
  FROM ops.crawl_outcome
 WHERE retailer = %(retailer)s AND run_key = %(run_key)s AND manifest IS NOT NULL
 ORDER BY store_id

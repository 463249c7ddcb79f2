-- List the store-days staged by a run so far, earlier attempts included.
--
-- Called by   include/crawling/outcomes.py
-- Parameters  retailer, run_key text
-- Reads       ops.crawl_outcome
-- Run again   same result

SELECT store_id, state, manifest, rows, reason
  FROM ops.crawl_outcome
 WHERE retailer = %(retailer)s AND run_key = %(run_key)s AND manifest IS NOT NULL
 ORDER BY store_id

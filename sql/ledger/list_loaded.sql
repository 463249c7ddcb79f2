-- List a retailer's loaded files whose rows are in staging, oldest store-day first.
--
-- Called by   include/ledger/files.py
-- Parameters  retailer text; is_checked boolean: only those that are checked
-- Reads       ops.staged_file, staging.loaded_file
-- Run again   same result while nothing is loaded or published

SELECT file_id, store_id, rows, check_version
  FROM ops.staged_file
  JOIN staging.loaded_file USING (file_id)
 WHERE retailer = %(retailer)s AND state = 'loaded' AND (check_version IS NOT NULL OR NOT %(is_checked)s)
 ORDER BY observed_at, file_id

-- List loaded files whose rows are missing in staging, which a server crash empties.
--
-- Called by   include/ledger/files.py
-- Parameters  retailer text
-- Reads       ops.staged_file, staging.loaded_file
-- Run again   same result while nothing is loaded

SELECT file.file_id
  FROM ops.staged_file AS file
 WHERE file.retailer = %(retailer)s AND file.state = 'loaded'
   AND NOT EXISTS (SELECT FROM staging.loaded_file AS mark WHERE mark.file_id = file.file_id)
 ORDER BY file.observed_at, file.file_id

-- Loaded files whose rows no longer stand in staging: a crash of the server empties it.
--
-- Called by   include/ledger/files.py
-- Parameters  retailer text
-- Reads       ops.staged_file, staging.loaded_file
-- Run again   same answer while nothing is loaded

SELECT file.file_id
  FROM ops.staged_file AS file
 WHERE file.retailer = %(retailer)s AND file.state = 'loaded' AND file.is_complete IS NOT NULL
   AND NOT EXISTS (SELECT FROM staging.loaded_file AS mark WHERE mark.file_id = file.file_id)
 ORDER BY file.observed_at, file.file_id

-- Waiting files that came without a manifest and are not judged yet, in time order.
--
-- Called by   include/ledger/completeness.py
-- Parameters  retailer text
-- Reads       ops.staged_file
-- Run again   same answer until one is judged

SELECT file_id, rows
  FROM ops.staged_file
 WHERE retailer = %(retailer)s AND is_complete IS NULL AND state = 'waiting'
 ORDER BY observed_at, file_id

-- List the store-days of one store with their states, newest first.
--
-- Called by   include/ledger/files.py
-- Parameters  retailer, store_id text
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT file_id, night, observed_at, rows, is_complete, state, created, updated, delisted, state_reason
  FROM ops.staged_file
 WHERE retailer = %(retailer)s AND store_id = %(store_id)s
 ORDER BY observed_at DESC, file_id DESC

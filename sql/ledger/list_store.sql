-- The store-days of one store, the newest first, with what became of each.
--
-- Called by   include/ledger/files.py
-- Parameters  retailer, store_id text
-- Reads       ops.staged_file
-- Run again   same answer while the ledger is the same

SELECT file_id, night, observed_at, rows, is_complete, state, created, updated, delisted, state_reason
  FROM ops.staged_file
 WHERE retailer = %(retailer)s AND store_id = %(store_id)s
 ORDER BY observed_at DESC, file_id DESC

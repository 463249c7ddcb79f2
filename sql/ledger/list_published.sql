-- The published store-days of one store, oldest first.
--
-- Called by   include/ledger/files.py, to publish them again without one that is retracted
-- Parameters  retailer, store_id text
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT file_id, state, manifest, observed_at, last_observed_at, is_complete, decided_by IS NOT NULL AS is_released
  FROM ops.staged_file
 WHERE retailer = %(retailer)s AND store_id = %(store_id)s AND state = 'published'
 ORDER BY observed_at, file_id

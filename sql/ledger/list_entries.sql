-- A retailer's files in given states, oldest store-day first.
--
-- Called by   include/ledger/files.py
-- Parameters  retailer text; states text[]
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT file_id, state, manifest, observed_at, last_observed_at, coalesce(is_complete, false) AS is_complete, decided_by IS NOT NULL AS is_released
  FROM ops.staged_file
 WHERE retailer = %(retailer)s AND state = ANY (%(states)s)
 ORDER BY observed_at, file_id

-- List undecided held store-days and refused files, oldest first.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  retailer text (null = all)
-- Reads       ops.staged_file
-- Run again   same result while nothing is decided

SELECT file_id, retailer, store_id, night, rows, state, state_reason
  FROM ops.staged_file
 WHERE state IN ('held', 'refused') AND decided_by IS NULL AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s)
 ORDER BY observed_at, file_id

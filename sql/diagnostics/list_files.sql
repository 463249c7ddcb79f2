-- List the states of some staged files.
--
-- Called by   include/diagnostics/ingest_summary.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file, core.store
-- Run again   same result while the ledger is the same

SELECT file.file_id, file.retailer, file.store_id, file.night, file.state, file.is_complete, file.completeness_reason, file.rows, file.created, file.updated, file.unchanged,
       file.unavailable, file.outdated, file.delisted, file.folded, file.quarantined, file.state_reason, coalesce(store.is_confirmed, false) AS is_confirmed
  FROM ops.staged_file AS file
  LEFT JOIN core.store AS store ON store.retailer = file.retailer AND store.store_id = file.store_id
 WHERE file.file_id = ANY (%(file_ids)s)
 ORDER BY file.observed_at, file.file_id

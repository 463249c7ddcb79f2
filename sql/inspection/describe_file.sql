-- Describe staged files by number, or by the beginning of their content's hash.
--
-- Called by   include/diagnostics/inspect_file.py
-- Parameters  file_id bigint (null = by hash); hash_start text
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT file_id, retailer, store_id, night, run_key, content_hash, state, state_reason, stage, observed_at, last_observed_at, rows, goods, is_complete, completeness_reason, check_version, created,
       updated, unchanged, outdated, unavailable, delisted, folded, quarantined, registered_at, loaded_at, checked_at, published_at, rejection, manifest
  FROM ops.staged_file
 WHERE file_id = %(file_id)s OR content_hash LIKE %(hash_start)s || '%%'
 ORDER BY file_id
 LIMIT 20

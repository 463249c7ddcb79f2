-- List checked files of unknown completeness, which came without a manifest, in time order.
--
-- Called by   include/ledger/completeness.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file
-- Run again   same result until the completeness of one is set

SELECT file_id, goods
  FROM ops.staged_file
 WHERE file_id = ANY (%(file_ids)s) AND is_complete IS NULL
 ORDER BY observed_at, file_id

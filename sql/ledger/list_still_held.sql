-- Those of some files that are held.
--
-- Called by   include/ledger/held.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file
-- Run again   same result while nothing is decided

SELECT file_id FROM ops.staged_file WHERE file_id = ANY (%(file_ids)s) AND state = 'held' ORDER BY file_id

-- Delete files from staging, with their marks as loaded.
--
-- Called by   include/ledger/settling.py
-- Parameters  file_ids bigint[]
-- Writes      staging.offer, staging.loaded_file   rows are deleted
-- Run again   nothing written

WITH marks AS (DELETE FROM staging.loaded_file WHERE file_id = ANY (%(file_ids)s))
DELETE FROM staging.offer WHERE file_id = ANY (%(file_ids)s)

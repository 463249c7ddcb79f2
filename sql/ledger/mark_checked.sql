-- Record the version of the rule catalogue that checked some files, and when.
--
-- Called by   include/ledger/settling.py
-- Parameters  file_ids bigint[]; version text; checked_at timestamptz: null keeps the earlier instant
-- Writes      ops.staged_file
-- Run again   same rows: rewritten with the values they have

UPDATE ops.staged_file
   SET check_version = %(version)s, checked_at = coalesce(%(checked_at)s::timestamptz, checked_at)
 WHERE file_id = ANY (%(file_ids)s)

-- Change the estimated completeness of a store-day.
--
-- Called by   include/ledger/completeness.py
-- Parameters  file_id bigint; is_complete boolean; reason text
-- Writes      ops.staged_file
-- Run again   nothing written

UPDATE ops.staged_file
   SET is_complete = %(is_complete)s, completeness_reason = %(reason)s
 WHERE file_id = %(file_id)s AND (is_complete, completeness_reason) IS DISTINCT FROM (%(is_complete)s, %(reason)s)

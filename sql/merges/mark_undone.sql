-- Mark the moves of undone decisions in the log.
--
-- Called by   include/catalogue/merges.py
-- Parameters  decision_ids bigint[]; now timestamptz
-- Writes      ops.merge_log   undone_at
-- Run again   nothing written

UPDATE ops.merge_log SET undone_at = %(now)s WHERE decision_id = ANY (%(decision_ids)s) AND undone_at IS NULL

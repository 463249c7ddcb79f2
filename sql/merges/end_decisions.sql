-- End decisions about pairs of SKUs or of brands: they are undone.
--
-- Called by   include/catalogue/merges.py
-- Parameters  decision_ids bigint[]; by text; reason text; now timestamptz
-- Writes      ops.match_decision
-- Run again   nothing written

UPDATE ops.match_decision
   SET ended_at = %(now)s, ended_by = %(by)s, end_reason = %(reason)s
 WHERE decision_id = ANY (%(decision_ids)s) AND ended_at IS NULL

-- End decisions about pairs of SKUs or of brands.
--
-- Called by   include/catalogue/merges.py, include/catalogue/reconcile.py, include/catalogue/brands.py
-- Parameters  decision_ids bigint[]; by, reason text; via text: undo or reconciliation; now timestamptz
-- Writes      ops.match_decision
-- Run again   nothing written

UPDATE ops.match_decision
   SET ended_at = %(now)s, ended_by = %(by)s, end_reason = %(reason)s, ended_via = %(via)s
 WHERE decision_id = ANY (%(decision_ids)s) AND ended_at IS NULL

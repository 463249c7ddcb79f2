-- End the decisions in force about some barcode conflicts: undone, or replaced by a new one.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  conflict_ids bigint[]; by text; reason text; now timestamptz
-- Writes      ops.barcode_decision
-- Run again   nothing written

UPDATE ops.barcode_decision
   SET ended_at = %(now)s, ended_by = %(by)s, end_reason = %(reason)s
 WHERE claim_id = ANY (%(conflict_ids)s) AND ended_at IS NULL

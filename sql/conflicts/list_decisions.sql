-- List the decisions about a barcode conflict, in order.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  conflict_id bigint
-- Reads       ops.barcode_decision
-- Run again   same result

SELECT decision_id, choice, decided_by, decision_reason, decided_via, decided_at, before, reopened_at, reopened_because, ended_at, ended_by, end_reason
  FROM ops.barcode_decision
 WHERE claim_id = %(conflict_id)s
 ORDER BY decision_id

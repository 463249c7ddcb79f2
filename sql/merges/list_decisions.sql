-- List some decisions about pairs of SKUs or of brands.
--
-- Called by   include/catalogue/merges.py
-- Parameters  decision_ids bigint[]
-- Reads       ops.match_decision
-- Run again   same result

SELECT decision_id, kind, choice, decided_by, decision_reason, decided_via, score, evidence, decided_at, ended_at, ended_by, end_reason, ended_via
  FROM ops.match_decision
 WHERE decision_id = ANY (%(decision_ids)s)
 ORDER BY decision_id

-- The decisions about one file, oldest first.
--
-- Called by   include/ledger/decisions.py
-- Parameters  file_id bigint
-- Reads       ops.decision
-- Run again   same result while nothing is decided

SELECT choice, rule_id, lines, decided_by, decision_reason, decided_via, decided_at, detail
  FROM ops.decision
 WHERE file_id = %(file_id)s
 ORDER BY decision_id

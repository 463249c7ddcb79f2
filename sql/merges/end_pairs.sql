-- End the pairs of ended decisions.
--
-- Called by   include/catalogue/merges.py, include/catalogue/reconcile.py
-- Parameters  decision_ids bigint[]; now timestamptz
-- Writes      ops.match_pair
-- Run again   nothing written

UPDATE ops.match_pair SET ended_at = %(now)s WHERE decision_id = ANY (%(decision_ids)s) AND ended_at IS NULL

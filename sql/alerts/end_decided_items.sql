-- End the alerts about barcode conflicts or proposals of which none is open any more: decided in the UI or on the command line, or settled otherwise.
--
-- Called by   include/alerts/troubles.py
-- Parameters  now timestamptz
-- Reads       ops.barcode_conflict, ops.barcode_decision, ops.proposal, ops.match_decision
-- Writes      ops.alert
-- Run again   nothing written

WITH told AS MATERIALIZED (
    SELECT alert_id, item, unnest(item_ids) AS item_id FROM ops.alert WHERE ended_at IS NULL AND item IS NOT NULL
), found AS (
    SELECT told.alert_id, conflict.is_open, decision.choice || ' by ' || decision.decided_by AS how
      FROM told
      LEFT JOIN ops.barcode_conflict AS conflict ON conflict.conflict_id = told.item_id
      LEFT JOIN ops.barcode_decision AS decision USING (decision_id)
     WHERE told.item = 'conflict'
     UNION ALL
    SELECT told.alert_id, proposal.state = 'waiting', CASE decision.choice WHEN 'join' THEN 'approve' ELSE 'reject' END || ' by ' || decision.decided_by
      FROM told
      LEFT JOIN ops.proposal AS proposal ON proposal.proposal_id = told.item_id
      LEFT JOIN ops.match_decision AS decision USING (decision_id)
     WHERE told.item = 'proposal'
), over AS (
    SELECT alert_id, string_agg(DISTINCT how, '; ') AS how FROM found GROUP BY alert_id HAVING bool_or(is_open) IS NOT TRUE
)
UPDATE ops.alert
   SET ended_at = %(now)s, end_reason = coalesce('decided: ' || over.how, 'settled: none of them is open any more')
  FROM over
 WHERE alert.alert_id = over.alert_id

-- End the alerts about barcode conflicts of which none is open any more: decided in the UI or on the command line, or settled by another decision.
--
-- Called by   include/alerts/troubles.py
-- Parameters  now timestamptz
-- Reads       ops.barcode_conflict, ops.barcode_decision
-- Writes      ops.alert
-- Run again   nothing written

WITH told AS MATERIALIZED (
    SELECT alert_id, unnest(conflict_ids) AS conflict_id FROM ops.alert WHERE ended_at IS NULL AND conflict_ids <> '{}'
), waiting AS (
    SELECT told.alert_id FROM told JOIN ops.barcode_conflict AS conflict USING (conflict_id) WHERE conflict.is_open
), decided AS (
    SELECT told.alert_id, string_agg(DISTINCT decision.choice || ' by ' || decision.decided_by, '; ') AS how
      FROM told
      LEFT JOIN ops.barcode_decision AS decision ON decision.claim_id = told.conflict_id AND decision.ended_at IS NULL
     WHERE NOT EXISTS (SELECT FROM waiting WHERE waiting.alert_id = told.alert_id)
     GROUP BY told.alert_id
)
UPDATE ops.alert
   SET ended_at = %(now)s, end_reason = coalesce('decided: ' || decided.how, 'settled: nothing contradicts the barcodes any more')
  FROM decided
 WHERE alert.alert_id = decided.alert_id

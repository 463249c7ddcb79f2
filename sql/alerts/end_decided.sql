-- End the alerts about held store-days of which none waits for a decision any more: decided, left held, unanswered in time, or replaced by a newer one.
--
-- Called by   include/alerts/troubles.py
-- Parameters  now timestamptz
-- Reads       ops.staged_file, ops.decision
-- Writes      ops.alert
-- Run again   nothing written

WITH told AS (
    SELECT alert_id, raised_at, unnest(file_ids) AS file_id FROM ops.alert WHERE kind = 'held' AND ended_at IS NULL
), answered AS (
    SELECT told.alert_id,
           bool_and(file.state <> 'held' OR decision.choice IS NOT NULL) AS is_over,
           string_agg(DISTINCT CASE WHEN decision.choice IS NULL THEN 'replaced by a newer store-day'
                                    WHEN decision.choice = 'unanswered' THEN 'no answer in time, left held (aisleflow quarantine list)'
                                    WHEN decision.choice = 'leave' THEN 'left held by ' || decision.decided_by
                                    ELSE decision.choice || ' by ' || decision.decided_by END, '; ') AS how
      FROM told
      JOIN ops.staged_file AS file USING (file_id)
      LEFT JOIN (SELECT DISTINCT ON (file_id) file_id, choice, decided_by, decided_at
                   FROM ops.decision
                  WHERE choice IN ('release', 'discard', 'leave', 'unanswered', 'recheck') AND lines IS NULL AND rule_id IS NULL
                  ORDER BY file_id, decision_id DESC) AS decision
        ON decision.file_id = told.file_id AND decision.decided_at >= told.raised_at
     GROUP BY told.alert_id
)
UPDATE ops.alert
   SET ended_at = %(now)s, end_reason = 'decided: ' || answered.how
  FROM answered
 WHERE alert.alert_id = answered.alert_id AND answered.is_over

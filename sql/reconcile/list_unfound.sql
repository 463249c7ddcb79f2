-- List the joins by the matcher, in force, that it no longer finds or is no longer sure of.
--
-- Called by   include/catalogue/reconcile.py, after it looked at all SKUs
-- Reads       matched, ops.match_decision, ops.match_pair
-- Run again   same result

SELECT decision.decision_id
  FROM ops.match_decision AS decision
  JOIN ops.match_pair AS pair USING (decision_id)
 WHERE decision.decided_via = 'score' AND decision.ended_at IS NULL AND pair.ended_at IS NULL
   AND NOT EXISTS (SELECT
                     FROM matched
                    WHERE matched.left_sku_key = pair.left_sku_key AND matched.right_sku_key = pair.right_sku_key AND matched.is_sure)
 ORDER BY decision.decision_id

-- List the SKUs of the joins by the matcher that are in force.
--
-- Called by   include/catalogue/regroup.py
-- Reads       ops.match_decision, ops.match_pair
-- Run again   same result

SELECT unnest(ARRAY[pair.left_sku_key, pair.right_sku_key]) AS sku_key
  FROM ops.match_decision AS decision
  JOIN ops.match_pair AS pair USING (decision_id)
 WHERE decision.decided_via = 'score' AND decision.ended_at IS NULL AND pair.ended_at IS NULL

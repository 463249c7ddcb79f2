-- List the decisions in force about pairs of the SKUs that are grouped again, and the joins of the matcher that a person undid: `undone`.
--
-- Called by   include/catalogue/resolve.py
-- Reads       member, ops.match_pair, ops.match_decision
-- Run again   same result

SELECT pair.left_sku_key, pair.right_sku_key, pair.decision_id, CASE WHEN pair.ended_at IS NULL THEN pair.choice ELSE 'undone' END AS choice, decision.score
  FROM ops.match_pair AS pair
  JOIN ops.match_decision AS decision USING (decision_id)
 WHERE (pair.ended_at IS NULL OR decision.ended_via = 'undo' AND decision.score IS NOT NULL) AND pair.left_sku_key = ANY (ARRAY(SELECT sku_key FROM member))
   AND EXISTS (SELECT FROM member WHERE member.sku_key = pair.right_sku_key)
 ORDER BY pair.decision_id, pair.left_sku_key, pair.right_sku_key

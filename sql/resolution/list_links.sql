-- List the decisions in force about pairs of the SKUs that are grouped again, and the joins of the matcher that a person undid: `undone`.
--
-- Called by   include/catalogue/regroup.py
-- Reads       member, ops.match_pair, ops.match_decision
-- Run again   same result

WITH pair AS MATERIALIZED (
    SELECT left_sku_key, right_sku_key, decision_id, choice, ended_at
      FROM ops.match_pair
     WHERE left_sku_key = ANY (ARRAY(SELECT sku_key FROM member))
       AND EXISTS (SELECT FROM member WHERE member.sku_key = match_pair.right_sku_key)
)
SELECT pair.left_sku_key, pair.right_sku_key, pair.decision_id, CASE WHEN pair.ended_at IS NULL THEN pair.choice ELSE 'undone' END AS choice, decision.score
  FROM pair
  JOIN ops.match_decision AS decision ON decision.decision_id = pair.decision_id AND decision.decision_id = ANY (ARRAY(SELECT decision_id FROM pair))
 WHERE pair.ended_at IS NULL OR decision.ended_via = 'undo' AND decision.score IS NOT NULL
 ORDER BY pair.decision_id, pair.left_sku_key, pair.right_sku_key

-- Store the present score and evidence of joins by the matcher that it found again.
--
-- Called by   include/catalogue/reconcile.py
-- Reads       matched, ops.match_pair
-- Writes      ops.match_decision   score, evidence, decision_reason
-- Run again   nothing written

UPDATE ops.match_decision AS decision
   SET score = matched.score, evidence = matched.evidence, decision_reason = matched.reason
  FROM ops.match_pair AS pair
  JOIN matched ON matched.left_sku_key = pair.left_sku_key AND matched.right_sku_key = pair.right_sku_key
 WHERE decision.decision_id = pair.decision_id AND decision.decided_via = 'score' AND decision.ended_at IS NULL AND pair.ended_at IS NULL
   AND matched.is_sure AND (decision.score, decision.evidence) IS DISTINCT FROM (matched.score, matched.evidence)

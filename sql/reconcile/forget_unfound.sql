-- Forget proposals of the matcher that it no longer finds or is sure of now, its score of others, and those about joins that have ended; none that a person decided.
--
-- Called by   include/catalogue/reconcile.py, after it looked at all SKUs
-- Parameters  now timestamptz
-- Reads       matched, ops.proposal, ops.match_decision, ops.match_pair
-- Writes      ops.match_proposal   forgotten_at; score, evidence
-- Run again   nothing written

WITH stale AS MATERIALIZED (
    SELECT known.proposal_id, known.reason = 'score' AS is_over
      FROM ops.proposal AS known
      LEFT JOIN ops.match_decision AS decision USING (decision_id)
     WHERE known.score IS NOT NULL AND NOT starts_with(known.reason, 'score_but_') AND (known.decision_id IS NULL OR decision.decided_via = 'score')
       AND (known.reason <> 'score'
            OR NOT EXISTS (SELECT
                             FROM matched
                            WHERE matched.left_sku_key = known.left_sku_key AND matched.right_sku_key = known.right_sku_key AND NOT matched.is_sure))
     UNION ALL
    SELECT contradicted.proposal_id, true
      FROM ops.match_proposal AS contradicted
     WHERE starts_with(contradicted.reason, 'score_but_')
       AND NOT EXISTS (SELECT
                         FROM ops.match_pair AS pair
                        WHERE pair.left_sku_key = contradicted.left_sku_key AND pair.right_sku_key = contradicted.right_sku_key
                          AND pair.choice = 'join' AND pair.ended_at IS NULL)
)
UPDATE ops.match_proposal AS proposal
   SET forgotten_at = CASE WHEN stale.is_over THEN %(now)s::timestamptz END, score = CASE WHEN stale.is_over THEN proposal.score END,
       evidence = CASE WHEN stale.is_over THEN proposal.evidence ELSE proposal.evidence - ARRAY['method', 'reason', 'features'] END
  FROM stale
 WHERE proposal.proposal_id = stale.proposal_id AND proposal.forgotten_at IS NULL

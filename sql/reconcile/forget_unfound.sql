-- Forget what the matcher said of proposals that it no longer finds, or is sure of now, and that no person decided: those of its own, and the score of others.
--
-- Called by   include/catalogue/reconcile.py, after it looked at all SKUs
-- Parameters  now timestamptz
-- Reads       matched, ops.proposal, ops.match_decision
-- Writes      ops.match_proposal   forgotten_at; score, evidence
-- Run again   nothing written

UPDATE ops.match_proposal AS proposal
   SET forgotten_at = CASE WHEN proposal.reason = 'score' THEN %(now)s::timestamptz END, score = CASE WHEN proposal.reason = 'score' THEN proposal.score END,
       evidence = CASE WHEN proposal.reason = 'score' THEN proposal.evidence ELSE proposal.evidence - ARRAY['method', 'reason', 'features'] END
 WHERE proposal.forgotten_at IS NULL AND proposal.score IS NOT NULL
   AND proposal.proposal_id = ANY (ARRAY(SELECT known.proposal_id
                                           FROM ops.proposal AS known
                                           LEFT JOIN ops.match_decision AS decision USING (decision_id)
                                          WHERE known.score IS NOT NULL AND (known.decision_id IS NULL OR decision.decided_via = 'score')))
   AND (proposal.reason <> 'score'
        OR NOT EXISTS (SELECT
                         FROM matched
                        WHERE matched.left_sku_key = proposal.left_sku_key AND matched.right_sku_key = proposal.right_sku_key AND NOT matched.is_sure))

-- List the decisions about a proposal's pair of SKUs, in order.
--
-- Called by   include/catalogue/proposals.py
-- Parameters  proposal_id bigint
-- Reads       ops.match_proposal, ops.match_pair, ops.match_decision
-- Run again   same result

SELECT decision.decision_id, decision.choice, decision.decided_by, decision.decision_reason, decision.decided_via, decision.decided_at, decision.ended_at,
       decision.ended_by, decision.end_reason
  FROM ops.match_proposal AS proposal
  JOIN ops.match_pair AS pair ON pair.left_sku_key = proposal.left_sku_key AND pair.right_sku_key = proposal.right_sku_key
  JOIN ops.match_decision AS decision USING (decision_id)
 WHERE proposal.proposal_id = %(proposal_id)s
 ORDER BY decision.decision_id

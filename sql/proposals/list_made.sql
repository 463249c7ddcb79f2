-- List the decisions made now about some proposals.
--
-- Called by   include/catalogue/proposals.py
-- Parameters  proposal_ids bigint[]; now timestamptz: when they were made
-- Reads       ops.match_proposal, ops.match_pair, ops.match_decision
-- Run again   same result

SELECT proposal.proposal_id, decision.decision_id
  FROM ops.match_proposal AS proposal
  JOIN ops.match_pair AS pair ON pair.left_sku_key = proposal.left_sku_key AND pair.right_sku_key = proposal.right_sku_key AND pair.ended_at IS NULL
  JOIN ops.match_decision AS decision USING (decision_id)
 WHERE proposal.proposal_id = ANY (%(proposal_ids)s) AND decision.decided_at = %(now)s AND decision.evidence ->> 'proposal_id' = proposal.proposal_id::text
 ORDER BY proposal.proposal_id

-- List the state of some proposals, with the decision in force about each.
--
-- Called by   include/catalogue/proposals.py
-- Parameters  proposal_ids bigint[]
-- Reads       ops.proposal, ops.match_decision
-- Run again   same result

SELECT proposal.proposal_id, proposal.state, proposal.left_sku_key, proposal.right_sku_key, proposal.decision_id, decision.choice, decision.decided_by,
       decision.decision_reason
  FROM ops.proposal AS proposal
  LEFT JOIN ops.match_decision AS decision USING (decision_id)
 WHERE proposal.proposal_id = ANY (%(proposal_ids)s)
 ORDER BY proposal.proposal_id

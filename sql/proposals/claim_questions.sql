-- Claim waiting proposals for one run of decide_proposals, so that each is asked about once, the surest first.
--
-- Called by   include/catalogue/deciding.py, task `list_questions` of `decide_proposals`
-- Parameters  retailers text[]: of one SKU of the pair at least; run text: the run's id; is_again boolean: also those another run has claimed; rows_max integer
-- Reads       ops.proposal, core.sku
-- Writes      ops.match_proposal   question_run_id
-- Run again   same rows: a run that has claimed its questions claims no more

WITH claimed AS (
    SELECT proposal.proposal_id
      FROM ops.proposal AS proposal
      JOIN core.sku AS mine ON mine.sku_key = proposal.left_sku_key
      JOIN core.sku AS other ON other.sku_key = proposal.right_sku_key
     WHERE proposal.state = 'waiting' AND (proposal.question_run_id IS NULL OR %(is_again)s)
       AND (mine.retailer = ANY (%(retailers)s) OR other.retailer = ANY (%(retailers)s))
       AND NOT EXISTS (SELECT FROM ops.match_proposal AS mine WHERE mine.question_run_id = %(run)s)
     ORDER BY proposal.score DESC NULLS LAST, proposal.proposal_id
     LIMIT %(rows_max)s
)
UPDATE ops.match_proposal AS proposal
   SET question_run_id = %(run)s
  FROM claimed
 WHERE proposal.proposal_id = claimed.proposal_id

-- Claim waiting proposals for one run of decide_proposals, so that each is asked about once, the surest first.
--
-- Called by   include/catalogue/proposals.py, task `list_proposals` of `decide_proposals`
-- Parameters  run text: the run's id; is_again boolean: also those another run has claimed; rows_max integer
-- Reads       ops.proposal
-- Writes      ops.match_proposal   question_run_id
-- Run again   same rows: a run that has claimed its questions claims no more

WITH claimed AS (
    SELECT proposal_id
      FROM ops.proposal
     WHERE state = 'waiting' AND (question_run_id IS NULL OR %(is_again)s)
       AND NOT EXISTS (SELECT FROM ops.match_proposal AS mine WHERE mine.question_run_id = %(run)s)
     ORDER BY score DESC NULLS LAST, proposal_id
     LIMIT %(rows_max)s
)
UPDATE ops.match_proposal AS proposal
   SET question_run_id = %(run)s
  FROM claimed
 WHERE proposal.proposal_id = claimed.proposal_id

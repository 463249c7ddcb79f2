-- List the waiting proposals that one run of decide_proposals has claimed, the surest first.
--
-- Called by   include/catalogue/deciding.py, task `list_questions` of `decide_proposals`
-- Parameters  run text: the run's id
-- Reads       ops.proposal
-- Run again   same result while nothing is decided

SELECT proposal_id AS item_id FROM ops.proposal WHERE state = 'waiting' AND question_run_id = %(run)s ORDER BY score DESC NULLS LAST, proposal_id

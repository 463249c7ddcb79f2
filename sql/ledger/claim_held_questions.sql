-- Claim the questions about held store-days for one run of decide_held, so that each is asked once.
--
-- Called by   include/ledger/held.py, task `list_held` of `decide_held`
-- Parameters  retailers text[]; run text: the run's id; is_again boolean: also those another run has claimed; now timestamptz
-- Writes      ops.staged_file   question_run_id and question_asked_at of held files
-- Run again   nothing written

UPDATE ops.staged_file
   SET question_run_id = %(run)s, question_asked_at = %(now)s
 WHERE state = 'held' AND retailer = ANY (%(retailers)s)
   AND question_run_id IS DISTINCT FROM %(run)s AND (question_run_id IS NULL OR %(is_again)s)

-- Let proposals be asked about again, because a decision about them was undone.
--
-- Called by   include/catalogue/merges.py
-- Parameters  decision_ids bigint[]
-- Reads       ops.match_pair
-- Writes      ops.match_proposal   question_run_id
-- Run again   nothing written

UPDATE ops.match_proposal AS proposal
   SET question_run_id = NULL
  FROM ops.match_pair AS pair
 WHERE pair.decision_id = ANY (%(decision_ids)s) AND proposal.left_sku_key = pair.left_sku_key AND proposal.right_sku_key = pair.right_sku_key
   AND proposal.question_run_id IS NOT NULL

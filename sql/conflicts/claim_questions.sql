-- Claim the questions about open barcode conflicts for one run of decide_conflicts, so that each is asked once; those of one barcode together.
--
-- Called by   include/catalogue/deciding.py, task `list_questions` of `decide_conflicts`
-- Parameters  retailers text[]; run text: the run's id; is_again boolean: also those another run has claimed; rows_max integer
-- Reads       ops.barcode_conflict
-- Writes      core.sku_barcode   question_run_id and question_decision_id
-- Run again   same rows: a run that has claimed its questions claims no more

WITH claimed AS (
    SELECT conflict.conflict_id, conflict.decision_id
      FROM ops.barcode_conflict AS conflict
      JOIN core.sku_barcode AS claim ON claim.claim_id = conflict.conflict_id
     WHERE conflict.is_open AND conflict.retailer = ANY (%(retailers)s)
       AND (claim.question_run_id IS NULL OR %(is_again)s OR claim.question_decision_id IS DISTINCT FROM conflict.decision_id)
       AND NOT EXISTS (SELECT FROM core.sku_barcode AS mine WHERE mine.question_run_id = %(run)s)
     ORDER BY conflict.gtin, conflict.conflict_id
     LIMIT %(rows_max)s
)
UPDATE core.sku_barcode AS claim
   SET question_run_id = %(run)s, question_decision_id = claimed.decision_id
  FROM claimed
 WHERE claim.claim_id = claimed.conflict_id

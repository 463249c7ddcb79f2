-- Let barcode conflicts be asked about again, because a decision about them was undone.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  conflict_ids bigint[]
-- Writes      core.sku_barcode   question_run_id, question_decision_id
-- Run again   nothing written

UPDATE core.sku_barcode
   SET question_run_id = NULL, question_decision_id = NULL
 WHERE claim_id = ANY (%(conflict_ids)s) AND question_run_id IS NOT NULL

-- The open barcode conflicts that one run of decide_conflicts has claimed.
--
-- Called by   include/catalogue/deciding.py, task `list_questions` of `decide_conflicts`
-- Parameters  run text: the run's id
-- Reads       ops.barcode_conflict, core.sku_barcode
-- Run again   same result while nothing is decided

SELECT conflict.conflict_id AS item_id
  FROM ops.barcode_conflict AS conflict
  JOIN core.sku_barcode AS claim ON claim.claim_id = conflict.conflict_id
 WHERE conflict.is_open AND claim.question_run_id = %(run)s
 ORDER BY conflict.gtin, conflict.conflict_id

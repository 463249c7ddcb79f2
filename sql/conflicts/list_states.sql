-- List the state of some barcode conflicts, with the decision in force.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  conflict_ids bigint[]
-- Reads       ops.barcode_conflict, ops.barcode_decision
-- Run again   same result

SELECT conflict.conflict_id, conflict.retailer, conflict.sku, conflict.gtin, conflict.is_open, decision.decision_id, decision.choice, decision.decided_by,
       decision.decided_at, decision.decision_reason
  FROM ops.barcode_conflict AS conflict
  LEFT JOIN ops.barcode_decision AS decision USING (decision_id)
 WHERE conflict.conflict_id = ANY (%(conflict_ids)s)
 ORDER BY conflict.conflict_id

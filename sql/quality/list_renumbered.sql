-- List the pairs of renumbered SKUs of a store-day with their names.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint
-- Reads       ops.renumbered_sku, ops.staged_file, core.sku, ops.match_decision
-- Run again   same result

SELECT pair.old_sku, pair.new_sku, known.name, known.size, decision.decision_id
  FROM ops.renumbered_sku AS pair
  JOIN ops.staged_file AS file USING (file_id)
  LEFT JOIN core.sku AS known ON known.retailer = file.retailer AND known.sku = pair.old_sku
  LEFT JOIN ops.match_decision AS decision ON decision.file_id = pair.file_id
 WHERE pair.file_id = %(file_id)s
 ORDER BY pair.old_sku

-- List the moves of SKUs between products, in order, each with the barcode decision of the same instant.
--
-- Called by   include/diagnostics/inspect_catalogue.py
-- Parameters  sku_keys integer[]
-- Reads       ops.merge_log, core.sku, ops.barcode_decision
-- Run again   same result

SELECT log.merge_id, log.merged_at, sku.retailer, sku.sku, log.from_product_id, log.to_product_id, log.merged_by, log.evidence, log.undone_at,
       (SELECT array_agg(decision.decision_id ORDER BY decision.decision_id)
          FROM ops.barcode_decision AS decision
         WHERE log.merged_at IN (decision.decided_at, decision.ended_at)
           AND decision.gtin = ANY (ARRAY(SELECT mine.gtin FROM core.sku_barcode AS mine WHERE mine.sku_key = log.sku_key))) AS barcode_decision_ids
  FROM ops.merge_log AS log
  JOIN core.sku AS sku USING (sku_key)
 WHERE log.sku_key = ANY (%(sku_keys)s::integer[])
 ORDER BY log.merge_id

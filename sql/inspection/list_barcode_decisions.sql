-- List the decisions about barcode claims, in order, each with the moves of SKUs that it or its end caused: those of the same instant.
--
-- Called by   include/diagnostics/inspect_catalogue.py, include/catalogue/conflicts.py
-- Parameters  claim_ids bigint[]
-- Reads       ops.barcode_decision, core.sku_barcode, ops.merge_log
-- Run again   same result

SELECT decision.decision_id, decision.claim_id AS conflict_id, decision.gtin, decision.choice, decision.decided_by, decision.decision_reason, decision.decided_via,
       decision.decided_at, decision.before, decision.reopened_at, decision.reopened_because, decision.ended_at, decision.ended_by, decision.end_reason,
       (SELECT array_agg(log.merge_id ORDER BY log.merge_id)
          FROM ops.merge_log AS log
         WHERE log.sku_key = ANY (ARRAY(SELECT near.sku_key FROM core.sku_barcode AS near WHERE near.gtin = decision.gtin))
           AND log.merged_at IN (decision.decided_at, decision.ended_at)) AS merge_ids
  FROM ops.barcode_decision AS decision
 WHERE decision.claim_id = ANY (%(claim_ids)s::bigint[])
 ORDER BY decision.decision_id

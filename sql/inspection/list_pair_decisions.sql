-- List the decisions that some SKUs are, or are not, one product with others, the newest first: those in force and those that ended.
--
-- Called by   include/diagnostics/inspect_catalogue.py
-- Parameters  sku_keys integer[]
-- Reads       ops.match_pair, ops.match_decision, core.sku
-- Run again   same result while nothing is decided

WITH found AS MATERIALIZED (
    SELECT decision_id, left_sku_key AS sku_key, right_sku_key AS other_sku_key, ended_at FROM ops.match_pair WHERE left_sku_key = ANY (%(sku_keys)s::integer[])
     UNION
    SELECT decision_id, right_sku_key, left_sku_key, ended_at FROM ops.match_pair WHERE right_sku_key = ANY (%(sku_keys)s::integer[])
)
SELECT found.decision_id, decision.choice, sku.retailer || ':' || sku.sku AS sku, other.retailer || ':' || other.sku AS other_sku, decision.score, decision.decided_via,
       decision.decided_by, decision.decision_reason, decision.decided_at, found.ended_at, decision.ended_via, decision.ended_by, decision.end_reason
  FROM found
  JOIN ops.match_decision AS decision USING (decision_id)
  JOIN core.sku AS sku ON sku.sku_key = found.sku_key
  JOIN core.sku AS other ON other.sku_key = found.other_sku_key
 ORDER BY found.decision_id DESC, sku.sku_key, other.sku_key

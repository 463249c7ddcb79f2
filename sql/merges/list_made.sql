-- List the decisions about pairs of SKUs or of brands, the newest first; of those made at once the least sure first. Of several pairs the first is shown.
--
-- Called by   include/catalogue/merges.py
-- Parameters  vias text[]: where they were decided (null = anywhere); since timestamptz (null = ever); is_all boolean: also those that have ended; rows_max integer (null = all)
-- Reads       ops.match_decision, ops.match_pair, ops.brand_pair, ops.merge_log, core.sku, core.brand
-- Run again   same result

WITH decision AS MATERIALIZED (
    SELECT *
      FROM ops.match_decision
     WHERE (%(vias)s::text[] IS NULL OR decided_via = ANY (%(vias)s)) AND (%(since)s::timestamptz IS NULL OR decided_at >= %(since)s)
       AND (%(is_all)s OR ended_at IS NULL)
     ORDER BY decided_at DESC, score, decision_id
     LIMIT %(rows_max)s
), pair AS MATERIALIZED (
    SELECT DISTINCT ON (decision_id) decision_id, left_sku_key, right_sku_key, count(*) OVER (PARTITION BY decision_id) AS pairs
      FROM ops.match_pair
     WHERE decision_id = ANY (ARRAY(SELECT decision_id FROM decision))
     ORDER BY decision_id, left_sku_key, right_sku_key
), named AS MATERIALIZED (
    SELECT sku_key, retailer, sku, name, brand, size
      FROM core.sku
     WHERE sku_key = ANY (ARRAY(SELECT left_sku_key FROM pair UNION SELECT right_sku_key FROM pair))
), moved AS MATERIALIZED (
    SELECT decision_id, count(*) AS moves FROM ops.merge_log WHERE decision_id = ANY (ARRAY(SELECT decision_id FROM decision)) GROUP BY decision_id
), brands AS MATERIALIZED (
    SELECT DISTINCT ON (pair.decision_id) pair.decision_id, one.name, other.name AS other_name
      FROM ops.brand_pair AS pair
      JOIN core.brand AS one ON one.brand_id = pair.left_brand_id
      JOIN core.brand AS other ON other.brand_id = pair.right_brand_id
     WHERE pair.decision_id = ANY (ARRAY(SELECT decision_id FROM decision))
     ORDER BY pair.decision_id, pair.left_brand_id, pair.right_brand_id
)
SELECT decision.decision_id, decision.kind, decision.choice, decision.decided_via, decision.score, decision.decision_reason, decision.evidence, decision.decided_by,
       decision.decided_at, mine.retailer, mine.sku, coalesce(mine.name, brands.name) AS name, mine.brand, mine.size,
       other.retailer AS other_retailer, other.sku AS other_sku, coalesce(other.name, brands.other_name) AS other_name, other.brand AS other_brand,
       other.size AS other_size, coalesce(pair.pairs, 1) AS pairs, coalesce(moved.moves, 0) AS moves, decision.ended_at, decision.ended_via, decision.ended_by,
       decision.end_reason
  FROM decision
  LEFT JOIN pair USING (decision_id)
  LEFT JOIN named AS mine ON mine.sku_key = pair.left_sku_key
  LEFT JOIN named AS other ON other.sku_key = pair.right_sku_key
  LEFT JOIN moved USING (decision_id)
  LEFT JOIN brands USING (decision_id)
 ORDER BY decision.decided_at DESC, decision.score, decision.decision_id

-- Record a person's decision about pairs of SKUs, which no proposal names: one decision for all of them.
--
-- Called by   include/catalogue/sku_decisions.py
-- Parameters  choice text; left_sku_keys, right_sku_keys integer[]; by, reason text; skus text[]: their names; now timestamptz
-- Reads       ops.match_pair, ops.match_decision
-- Writes      ops.match_decision, ops.match_pair
-- Run again   nothing written: a person's decision in force is not repeated

WITH missing AS MATERIALIZED (
    SELECT DISTINCT least(wanted.left_sku_key, wanted.right_sku_key) AS left_sku_key, greatest(wanted.left_sku_key, wanted.right_sku_key) AS right_sku_key
      FROM unnest(%(left_sku_keys)s::integer[], %(right_sku_keys)s::integer[]) AS wanted (left_sku_key, right_sku_key)
     WHERE NOT EXISTS (SELECT
                         FROM ops.match_pair AS pair
                         JOIN ops.match_decision AS decision USING (decision_id)
                        WHERE pair.left_sku_key = least(wanted.left_sku_key, wanted.right_sku_key)
                          AND pair.right_sku_key = greatest(wanted.left_sku_key, wanted.right_sku_key)
                          AND pair.choice = %(choice)s AND pair.ended_at IS NULL AND decision.score IS NULL)
), decided AS (
    INSERT INTO ops.match_decision (kind, choice, decided_by, decision_reason, decided_via, evidence, decided_at)
    SELECT 'sku', %(choice)s, %(by)s, %(reason)s, 'command line', jsonb_build_object('skus', %(skus)s::text[]), %(now)s
     WHERE EXISTS (SELECT FROM missing)
    RETURNING decision_id
)
INSERT INTO ops.match_pair (decision_id, choice, left_sku_key, right_sku_key)
SELECT decided.decision_id, %(choice)s, missing.left_sku_key, missing.right_sku_key FROM decided CROSS JOIN missing
 ORDER BY 3, 4
RETURNING decision_id

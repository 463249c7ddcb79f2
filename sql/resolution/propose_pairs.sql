-- Propose pairs of SKUs whose products may be one, for review.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  rule_version integer; now timestamptz
-- Reads       proposed, placed, core.sku, ops.apart
-- Writes      ops.match_proposal   not where the two products are proposed already, or a decision keeps them apart
-- Run again   nothing written

WITH known AS MATERIALIZED (
    SELECT least(mine.product_id, other.product_id) AS left_product_id, greatest(mine.product_id, other.product_id) AS right_product_id
      FROM ops.match_proposal AS proposal
      JOIN placed AS mine ON mine.sku_key = proposal.left_sku_key
      JOIN placed AS other ON other.sku_key = proposal.right_sku_key
     WHERE proposal.forgotten_at IS NULL
     UNION ALL
    SELECT left_product_id, right_product_id FROM ops.apart
), pair AS MATERIALIZED (
    SELECT DISTINCT ON (least(mine.product_id, other.product_id), greatest(mine.product_id, other.product_id))
           least(mine.product_id, other.product_id) AS left_product_id, greatest(mine.product_id, other.product_id) AS right_product_id,
           proposed.sku_key, proposed.other_sku_key, proposed.reason, proposed.evidence
      FROM proposed
      JOIN placed AS mine USING (sku_key)
      JOIN placed AS other ON other.sku_key = proposed.other_sku_key
     WHERE mine.product_id <> other.product_id
     ORDER BY 1, 2, proposed.reason, mine.position
)
INSERT INTO ops.match_proposal (left_sku_key, right_sku_key, reason, evidence, proposed_at)
SELECT least(pair.sku_key, pair.other_sku_key), greatest(pair.sku_key, pair.other_sku_key), pair.reason,
       jsonb_build_object(CASE split_part(pair.reason, '_', 1) WHEN 'barcode' THEN 'gtin' WHEN 'score' THEN 'decision_id' ELSE 'key' END, pair.evidence,
                          'rule_version', %(rule_version)s::integer, 'retailer', sku.retailer, 'sku', sku.sku), %(now)s
  FROM pair
  JOIN core.sku AS sku ON sku.sku_key = pair.sku_key AND sku.sku_key = ANY (ARRAY(SELECT sku_key FROM pair))
 WHERE NOT EXISTS (SELECT FROM known WHERE known.left_product_id = pair.left_product_id AND known.right_product_id = pair.right_product_id)
 ORDER BY 1, 2
    ON CONFLICT (left_sku_key, right_sku_key) DO UPDATE
   SET reason = EXCLUDED.reason, score = NULL, evidence = EXCLUDED.evidence, proposed_at = EXCLUDED.proposed_at, forgotten_at = NULL, question_run_id = NULL
 WHERE ops.match_proposal.forgotten_at IS NOT NULL

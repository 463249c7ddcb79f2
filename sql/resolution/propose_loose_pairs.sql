-- Propose products of two retailers whose keys are equal without the words that may distinguish two products.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  rule_version integer; now timestamptz
-- Reads       changed_identity, core.sku_identity, core.sku, core.product_barcode, ops.apart
-- Writes      ops.match_proposal   at most five per changed SKU; not where each side has a barcode or one is another retailer's own label
-- Run again   nothing written

WITH changed AS MATERIALIZED (
    SELECT changed.sku_key, changed.loose_key, changed.own_label_of, sku.retailer, sku.sku, sku.product_id
      FROM changed_identity AS changed
      JOIN core.sku AS sku USING (sku_key)
     WHERE changed.loose_key IS NOT NULL
), found AS (
    SELECT changed.sku_key, changed.product_id, other.sku_key AS other_sku_key, other.product_id AS other_product_id, changed.loose_key, changed.retailer, changed.sku,
           dense_rank() OVER (PARTITION BY changed.sku_key ORDER BY other.product_id) AS nth
      FROM changed
      JOIN core.sku_identity AS identity ON identity.loose_key = changed.loose_key
      JOIN core.sku AS other ON other.sku_key = identity.sku_key
     WHERE other.retailer <> changed.retailer AND other.product_id <> changed.product_id
       AND changed.own_label_of IS NULL AND identity.own_label_of IS NULL
       AND NOT (EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = changed.product_id)
                AND EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = other.product_id))
), pair AS MATERIALIZED (
    SELECT DISTINCT ON (least(product_id, other_product_id), greatest(product_id, other_product_id))
           least(product_id, other_product_id) AS left_product_id, greatest(product_id, other_product_id) AS right_product_id, sku_key, other_sku_key, loose_key, retailer, sku
      FROM found
     WHERE nth <= 5
     ORDER BY 1, 2, sku_key, other_sku_key
), near AS MATERIALIZED (
    SELECT sku_key, product_id FROM core.sku WHERE product_id = ANY (ARRAY(SELECT left_product_id FROM pair UNION SELECT right_product_id FROM pair))
), known AS MATERIALIZED (
    SELECT least(mine.product_id, other.product_id) AS left_product_id, greatest(mine.product_id, other.product_id) AS right_product_id
      FROM ops.match_proposal AS proposal
      JOIN near AS mine ON mine.sku_key = proposal.left_sku_key
      JOIN near AS other ON other.sku_key = proposal.right_sku_key
     WHERE proposal.forgotten_at IS NULL
     UNION ALL
    SELECT left_product_id, right_product_id FROM ops.apart
)
INSERT INTO ops.match_proposal (left_sku_key, right_sku_key, reason, evidence, proposed_at)
SELECT least(sku_key, other_sku_key), greatest(sku_key, other_sku_key), 'loose_key',
       jsonb_build_object('key', loose_key, 'rule_version', %(rule_version)s::integer, 'retailer', retailer, 'sku', sku), %(now)s
  FROM pair
 WHERE NOT EXISTS (SELECT FROM known WHERE known.left_product_id = pair.left_product_id AND known.right_product_id = pair.right_product_id)
 ORDER BY 1, 2
    ON CONFLICT (left_sku_key, right_sku_key) DO UPDATE
   SET reason = EXCLUDED.reason, score = NULL, evidence = EXCLUDED.evidence, proposed_at = EXCLUDED.proposed_at, forgotten_at = NULL, question_run_id = NULL
 WHERE ops.match_proposal.forgotten_at IS NOT NULL

-- Propose pairs of products that may be one, for review.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  rule_version integer; now timestamptz
-- Reads       proposed, placed
-- Writes      ops.match_proposal   a known pair is unchanged, so a rejected one is never proposed again
-- Run again   nothing written

INSERT INTO ops.match_proposal (left_product_id, right_product_id, reason, evidence, proposed_at)
SELECT DISTINCT ON (least(mine.product_id, other.product_id), greatest(mine.product_id, other.product_id))
       least(mine.product_id, other.product_id), greatest(mine.product_id, other.product_id), proposed.reason,
       jsonb_build_object(CASE WHEN proposed.reason LIKE 'barcode%%' THEN 'gtin' ELSE 'key' END, proposed.evidence, 'rule_version', %(rule_version)s::integer,
                          'retailer', sku.retailer, 'sku', sku.sku), %(now)s
  FROM proposed
  JOIN placed AS mine USING (sku_key)
  JOIN placed AS other ON other.sku_key = proposed.other_sku_key
  JOIN core.sku AS sku ON sku.sku_key = proposed.sku_key
 WHERE mine.product_id <> other.product_id
 ORDER BY 1, 2, proposed.reason, mine.position
    ON CONFLICT (left_product_id, right_product_id) DO NOTHING

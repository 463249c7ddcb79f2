-- Propose matches for review: products created now whose key also leads to others.
--
-- Called by   include/catalogue/resolve.py, before the new aliases are inserted
-- Parameters  rule_version integer; now timestamptz
-- Reads       pending, core.product_alias (products that have a SKU), core.product, core.product_barcode
-- Writes      ops.match_proposal   at most five per new product; a decided pair is unchanged
-- Run again   nothing written

WITH suggested AS (
    SELECT p.n, alias.product_id AS other_id
      FROM pending AS p
      JOIN core.product_alias AS alias USING (product_key)
     WHERE p.joined_by = 'new' AND alias.product_id <> p.product_id
       AND EXISTS (SELECT FROM core.sku AS living WHERE living.product_id = alias.product_id)
     UNION
    SELECT p.n, earlier.product_id
      FROM pending AS p
      JOIN pending AS earlier USING (product_key)
     WHERE p.joined_by = 'new' AND earlier.n < p.n AND earlier.product_id <> p.product_id
), found AS (
    SELECT p.n, p.product_id AS new_id, s.other_id, p.product_key, p.retailer, p.sku,
           count(*) OVER (PARTITION BY p.n) AS hits, row_number() OVER (PARTITION BY p.n ORDER BY s.other_id) AS nth,
           p.gtins IS NOT NULL AND EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = s.other_id) AS both_barcoded
      FROM suggested AS s
      JOIN pending AS p USING (n)
      JOIN core.product AS product ON product.product_id = s.other_id
     WHERE (product.own_label_of IS NULL OR product.own_label_of = p.retailer)
       AND (p.own_label_of IS NULL OR product.own_label_of = p.own_label_of)
)
INSERT INTO ops.match_proposal (left_product_id, right_product_id, reason, evidence, proposed_at)
SELECT DISTINCT ON (least(other_id, new_id), greatest(other_id, new_id))
       least(other_id, new_id), greatest(other_id, new_id),
       CASE WHEN hits > 1 THEN 'key_hits_several' WHEN both_barcoded THEN 'key_but_other_barcode' ELSE 'same_retailer_text' END,
       jsonb_build_object('key', product_key, 'rule_version', %(rule_version)s::integer, 'retailer', retailer, 'sku', sku), %(now)s
  FROM found
 WHERE nth <= 5
 ORDER BY 1, 2, n
    ON CONFLICT (left_product_id, right_product_id) DO NOTHING

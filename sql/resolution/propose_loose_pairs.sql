-- Propose products of two retailers whose keys are equal without the words that may distinguish two products.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  rule_version integer; now timestamptz
-- Reads       changed_identity, core.sku_identity, core.sku, core.product_barcode
-- Writes      ops.match_proposal   at most five per changed SKU; not where each side has a barcode or one is another retailer's own label
-- Run again   nothing written

WITH changed AS MATERIALIZED (
    SELECT changed.sku_key, changed.loose_key, changed.own_label_of, sku.retailer, sku.sku, sku.product_id
      FROM changed_identity AS changed
      JOIN core.sku AS sku USING (sku_key)
     WHERE changed.loose_key IS NOT NULL
), found AS (
    SELECT changed.sku_key, changed.product_id, other.product_id AS other_product_id, changed.loose_key, changed.retailer, changed.sku,
           dense_rank() OVER (PARTITION BY changed.sku_key ORDER BY other.product_id) AS nth
      FROM changed
      JOIN core.sku_identity AS identity ON identity.loose_key = changed.loose_key
      JOIN core.sku AS other ON other.sku_key = identity.sku_key
     WHERE other.retailer <> changed.retailer AND other.product_id <> changed.product_id
       AND changed.own_label_of IS NULL AND identity.own_label_of IS NULL
       AND NOT (EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = changed.product_id)
                AND EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = other.product_id))
)
INSERT INTO ops.match_proposal (left_product_id, right_product_id, reason, evidence, proposed_at)
SELECT DISTINCT ON (least(product_id, other_product_id), greatest(product_id, other_product_id))
       least(product_id, other_product_id), greatest(product_id, other_product_id), 'loose_key',
       jsonb_build_object('key', loose_key, 'rule_version', %(rule_version)s::integer, 'retailer', retailer, 'sku', sku), %(now)s
  FROM found
 WHERE nth <= 5
 ORDER BY 1, 2, sku_key
    ON CONFLICT (left_product_id, right_product_id) DO NOTHING

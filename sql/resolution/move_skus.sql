-- Move known SKUs to the products of their groups, and log the moves.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  now timestamptz; rule_version integer
-- Reads       placed, changed_identity
-- Writes      core.sku; ops.merge_log   one row per SKU moved
-- Run again   nothing written

WITH found AS MATERIALIZED (
    SELECT placed.sku_key, sku.product_id AS from_product_id, placed.product_id, placed.joined_by,
           CASE placed.joined_by WHEN 'barcode' THEN jsonb_build_object('gtin', placed.evidence)
                                 WHEN 'key' THEN jsonb_build_object('key', placed.evidence, 'rule_version', %(rule_version)s::integer) ELSE '{}' END AS match_evidence
      FROM placed
      JOIN core.sku AS sku USING (sku_key)
     WHERE sku.product_id <> placed.product_id OR sku.joined_by <> placed.joined_by
        OR placed.joined_by = 'barcode' AND sku.match_evidence ->> 'gtin' <> placed.evidence
        OR placed.joined_by = 'key' AND sku.match_evidence ->> 'key' <> placed.evidence
), moved AS (
    UPDATE core.sku
       SET product_id = found.product_id, joined_by = found.joined_by, match_evidence = found.match_evidence, joined_at = %(now)s
      FROM found
     WHERE core.sku.sku_key = found.sku_key
)
INSERT INTO ops.merge_log (sku_key, from_product_id, to_product_id, merged_by, evidence, merged_at)
SELECT found.sku_key, found.from_product_id, found.product_id,
       CASE WHEN changed.is_reused THEN 'reuse' WHEN found.joined_by = 'new' THEN 'separation' ELSE found.joined_by END,
       found.match_evidence || CASE WHEN changed.is_reused THEN jsonb_build_object('name', changed.name, 'former_until_at', changed.former_until_at) ELSE '{}' END,
       %(now)s
  FROM found
  LEFT JOIN changed_identity AS changed USING (sku_key)
 WHERE found.from_product_id <> found.product_id
 ORDER BY found.sku_key

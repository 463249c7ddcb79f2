-- List barcode conflicts with the text of both sides, the newest first.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  retailer text (null = all); is_all boolean: also decided and settled ones; conflict_ids bigint[] (null = all); rows_max integer
-- Reads       ops.barcode_conflict, core.sku, core.sku_barcode
-- Run again   same result
--
-- The other side is the first SKU whose claim to the barcode is accepted; of other_barcode the barcodes that the SKU has stand beside it, of
-- product_barcode those of its product with the first SKU that has one.

WITH conflict AS MATERIALIZED (
    SELECT *
      FROM ops.barcode_conflict
     WHERE (%(retailer)s::text IS NULL OR retailer = %(retailer)s) AND (is_open OR %(is_all)s)
       AND (%(conflict_ids)s::bigint[] IS NULL OR conflict_id = ANY (%(conflict_ids)s))
     ORDER BY detected_at DESC NULLS LAST, conflict_id DESC
     LIMIT %(rows_max)s
), owner AS (
    SELECT DISTINCT ON (claim.gtin) claim.gtin, sku.retailer, sku.sku, sku.name, sku.brand, sku.size
      FROM core.sku_barcode AS claim
      JOIN core.sku AS sku USING (sku_key)
     WHERE claim.gtin = ANY (ARRAY(SELECT gtin FROM conflict)) AND claim.refused_because IS NULL
       AND claim.claim_id <> ALL (ARRAY(SELECT conflict_id FROM conflict))
     ORDER BY claim.gtin, claim.first_seen_at, sku.retailer, sku.sku
), has AS (
    SELECT claim.sku_key, string_agg(claim.gtin, ', ' ORDER BY claim.first_seen_at, claim.gtin) AS gtins
      FROM core.sku_barcode AS claim
     WHERE claim.refused_because IS NULL AND claim.sku_key = ANY (ARRAY(SELECT sku_key FROM core.sku_barcode WHERE claim_id = ANY (ARRAY(SELECT conflict_id FROM conflict))))
     GROUP BY claim.sku_key
), near AS MATERIALIZED (
    SELECT sku_key, product_id FROM core.sku WHERE product_id = ANY (ARRAY(SELECT product_id FROM conflict WHERE reason = 'product_barcode'))
), beside AS (
    SELECT near.product_id, string_agg(DISTINCT claim.gtin, ', ') || ' (' || min(sku.retailer || ' ' || sku.sku) || ')' AS gtins
      FROM near
      JOIN core.sku_barcode AS claim USING (sku_key)
      JOIN core.sku AS sku USING (sku_key)
     WHERE claim.sku_key = ANY (ARRAY(SELECT sku_key FROM near)) AND sku.sku_key = ANY (ARRAY(SELECT sku_key FROM near)) AND claim.refused_because IS NULL
     GROUP BY near.product_id
)
SELECT conflict.conflict_id, conflict.retailer, conflict.sku, sku.name, sku.brand, sku.size, conflict.gtin, conflict.reason, has.gtins AS accepted_gtins, beside.gtins AS product_gtins,
       owner.retailer AS other_retailer, owner.sku AS other_sku, owner.name AS other_name, owner.brand AS other_brand, owner.size AS other_size,
       conflict.product_id, conflict.owner_product_id, conflict.source, conflict.file_id, conflict.first_seen_at, conflict.detected_at,
       conflict.is_open, conflict.choice, conflict.reopened_because
  FROM conflict
  JOIN core.sku AS sku ON sku.retailer = conflict.retailer AND sku.sku = conflict.sku
  LEFT JOIN has USING (sku_key)
  LEFT JOIN beside ON beside.product_id = conflict.product_id
  LEFT JOIN owner ON owner.gtin = conflict.gtin
 ORDER BY conflict.detected_at DESC NULLS LAST, conflict.conflict_id DESC

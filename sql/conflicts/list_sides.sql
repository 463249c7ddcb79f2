-- List the SKUs on both sides of a barcode conflict: of the product that the SKU belongs to, of the one that has the barcode, and all others that claim it.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  conflict_id bigint
-- Reads       ops.barcode_conflict, core.sku, core.sku_barcode, core.price
-- Run again   same result; at most 30 SKUs a side

WITH conflict AS MATERIALIZED (
    SELECT * FROM ops.barcode_conflict WHERE conflict_id = %(conflict_id)s
), found AS (
    SELECT sku.sku_key, CASE WHEN sku.product_id = conflict.product_id THEN 'claims' ELSE 'has it' END AS side
      FROM conflict
      JOIN core.sku AS sku ON sku.product_id IN (conflict.product_id, conflict.owner_product_id)
     UNION
    SELECT claim.sku_key, 'claims too'
      FROM conflict
      JOIN core.sku_barcode AS claim USING (gtin)
      JOIN core.sku AS sku USING (sku_key)
     WHERE sku.product_id <> conflict.product_id AND sku.product_id IS DISTINCT FROM conflict.owner_product_id
), ranked AS (
    SELECT found.*, row_number() OVER (PARTITION BY found.side ORDER BY found.sku_key) AS nth FROM found
), claimed AS (
    SELECT sku_key, array_agg(gtin ORDER BY first_seen_at, gtin) FILTER (WHERE refused_because IS NULL) AS accepted,
           array_agg(gtin || ' (' || refused_because || ')' ORDER BY first_seen_at, gtin) FILTER (WHERE refused_because IS NOT NULL) AS refused
      FROM core.sku_barcode
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM ranked WHERE nth <= 30))
     GROUP BY sku_key
), priced AS (
    SELECT sku_key, count(*)::integer AS stores, min(price_cents) AS price_cents_min, max(price_cents) AS price_cents_max
      FROM core.price
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM ranked WHERE nth <= 30)) AND is_listed
     GROUP BY sku_key
)
SELECT ranked.side, sku.retailer, sku.sku, sku.product_id, sku.name, sku.brand, sku.size, sku.url, sku.joined_by, claimed.accepted, claimed.refused,
       coalesce(priced.stores, 0) AS stores, priced.price_cents_min, priced.price_cents_max
  FROM ranked
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN claimed USING (sku_key)
  LEFT JOIN priced USING (sku_key)
 WHERE ranked.nth <= 30
 ORDER BY ranked.side, sku.retailer, sku.sku

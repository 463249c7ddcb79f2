-- List the SKUs on both sides of a question whether two products are one: with their barcodes and prices, and all others that claim a contested barcode.
--
-- Called by   include/catalogue/conflicts.py, include/catalogue/proposals.py
-- Parameters  product_id, other_product_id bigint (null = there is none); gtin text: of a conflict, the contested barcode that the first side claims (null = none)
-- Reads       core.sku, core.sku_barcode, core.price
-- Run again   same result; at most 30 SKUs a side

WITH found AS MATERIALIZED (
    SELECT sku_key,
           CASE WHEN product_id = %(product_id)s THEN CASE WHEN %(gtin)s::text IS NULL THEN 'one' ELSE 'claims' END
                ELSE CASE WHEN %(gtin)s::text IS NULL THEN 'other' ELSE 'has it' END END AS side
      FROM core.sku
     WHERE product_id = ANY (ARRAY[%(product_id)s, %(other_product_id)s]::bigint[])
     UNION
    SELECT claim.sku_key, 'claims too'
      FROM core.sku_barcode AS claim
      JOIN core.sku AS sku USING (sku_key)
     WHERE claim.gtin = %(gtin)s AND sku.product_id <> %(product_id)s AND sku.product_id IS DISTINCT FROM %(other_product_id)s::bigint
), ranked AS MATERIALIZED (
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

-- Find what is known of the barcodes of some SKUs: proved, contested, or that the retailer has none. Others are unknown and not returned.
--
-- Called by   include/enrichment/known_barcodes.py
-- Parameters  retailer text
-- Reads       asked_sku   temporary; one row per SKU
--             core.sku, core.sku_barcode, ops.barcode_lookup
-- Run again   same result while the catalogue is the same; of several barcodes the newest line's, then the first seen
--
-- The only place that states which evidence proves a barcode for prefill: the retailer's own claim, accepted by the catalogue. That covers every SKU
-- joined by barcode, because such a join needs its own claim. A key join proves nothing. A valid code beats none and every contested one.

WITH known AS MATERIALIZED (
    SELECT sku_key, sku, name, brand, size, gtin
      FROM core.sku
     WHERE retailer = %(retailer)s AND sku = ANY (ARRAY(SELECT sku FROM asked_sku))
), claim AS MATERIALIZED (
    SELECT sku_key, gtin, first_seen_at, refused_because IS NULL AS is_accepted
      FROM core.sku_barcode
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM known))
), best AS (
    SELECT DISTINCT ON (known.sku) known.sku, claim.gtin, claim.is_accepted, known.name, known.brand, known.size
      FROM known
      JOIN claim USING (sku_key)
     ORDER BY known.sku, claim.is_accepted DESC, claim.gtin IS NOT DISTINCT FROM known.gtin DESC, claim.first_seen_at, claim.gtin
)
SELECT sku, CASE WHEN is_accepted THEN 'proved' ELSE 'contested' END AS state, gtin, name, brand, size
  FROM best
 UNION ALL
SELECT sku, 'none', NULL, NULL, NULL, NULL
  FROM ops.barcode_lookup
 WHERE retailer = %(retailer)s AND result IN ('none', 'unusable') AND sku = ANY (ARRAY(SELECT sku FROM asked_sku))
   AND NOT EXISTS (SELECT FROM best WHERE best.sku = barcode_lookup.sku)

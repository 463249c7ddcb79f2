-- Find what is known of the barcodes of some SKUs: proved, contested, or that the retailer has none. Others are unknown and not returned.
--
-- Called by   include/enrichment/known_barcodes.py
-- Parameters  retailer text; skus text: joined by chr(31), because a driver sends one text in a tenth of the time of a list
-- Reads       core.sku, core.sku_barcode, ops.barcode_lookup: each by its key, only the rows of these SKUs
-- Returns     one row of arrays of equal length, one element per known SKU; null where none is known
-- Run again   same result while the catalogue is the same; of several barcodes the newest line's, then the first seen
--
-- The only place that states which evidence proves a barcode for prefill: the retailer's own claim, accepted by the catalogue. That covers every SKU
-- joined by barcode, because such a join needs its own claim. A key join proves nothing. A valid code beats none and every contested one.

WITH asked AS MATERIALIZED (
    SELECT unnest(string_to_array(%(skus)s, chr(31))) AS sku
), known AS MATERIALIZED (
    SELECT sku_key, sku, name, brand, size, gtin
      FROM core.sku
     WHERE retailer = %(retailer)s AND sku = ANY (ARRAY(SELECT sku FROM asked))
), claim AS MATERIALIZED (
    SELECT sku_key, gtin, first_seen_at, refused_because IS NULL AS is_accepted
      FROM core.sku_barcode
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM known))
), best AS MATERIALIZED (
    SELECT DISTINCT ON (known.sku_key) known.sku, claim.gtin, claim.is_accepted, known.name, known.brand, known.size
      FROM known
      JOIN claim USING (sku_key)
     ORDER BY known.sku_key, claim.is_accepted DESC, claim.gtin IS NOT DISTINCT FROM known.gtin DESC, claim.first_seen_at, claim.gtin
), found AS (
    SELECT sku, CASE WHEN is_accepted THEN 'proved' ELSE 'contested' END AS state, gtin, name, brand, size
      FROM best
     UNION ALL
    SELECT sku, 'none', NULL, NULL, NULL, NULL
      FROM ops.barcode_lookup
     WHERE retailer = %(retailer)s AND result IN ('none', 'unusable') AND sku = ANY (ARRAY(SELECT sku FROM asked EXCEPT SELECT sku FROM best))
)
SELECT array_agg(sku) AS skus, array_agg(state) AS states, array_agg(gtin) AS gtins, array_agg(name) AS names, array_agg(brand) AS brands, array_agg(size) AS sizes
  FROM found

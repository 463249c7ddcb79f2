-- Update known SKUs from the batch with the newest non-empty value per column, whatever the order in which store-days arrive.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded), core.price, core.store
-- Writes      core.sku   rows with a changed column, with the instant of their texts; each column's merge rule is in its comment
-- Run again   nothing written
--
-- The known texts count from texts_at, or from the last instant at which a store showed the SKU: every line since then agreed with them.
-- A line without a price leaves no such instant in a store where the SKU never had one, so it moves texts_at.
-- Of equal instants the greatest text is kept, so that the order of files decides nothing.

WITH differing AS MATERIALIZED (
    SELECT DISTINCT sku.sku_key, offer.sku, sku.former_until_at
      FROM staging.offer AS offer
      JOIN core.sku AS sku ON sku.retailer = %(retailer)s AND sku.sku = offer.sku
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
       AND (sku.former_until_at IS NULL OR offer.observed_at > sku.former_until_at)
       AND ((sku.name, sku.brand, sku.size, sku.category, sku.url, sku.image_url, sku.gtin) IS DISTINCT FROM
            (offer.name, coalesce(offer.brand, sku.brand), coalesce(offer.size, sku.size), coalesce(offer.category, sku.category),
             coalesce(offer.url, sku.url), coalesce(offer.image_url, sku.image_url), coalesce(offer.gtins[1], sku.gtin))
            OR offer.price IS NULL AND offer.observed_at > sku.texts_at
               AND NOT EXISTS (SELECT
                                 FROM core.store AS store
                                 JOIN core.price AS price ON price.store_key = store.store_key AND price.sku_key = sku.sku_key
                                WHERE store.retailer = %(retailer)s AND store.store_id = offer.store_id))
), seen AS MATERIALIZED (
    SELECT price.sku_key, max(CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, store.complete_at) ELSE price.observed_at END) AS at
      FROM core.price AS price
      JOIN core.store AS store USING (store_key)
     WHERE price.sku_key = ANY (ARRAY(SELECT sku_key FROM differing)) AND price.retracted_at IS NULL
     GROUP BY price.sku_key
), candidate AS (
    SELECT differing.sku_key, offer.observed_at AS at, offer.name, offer.brand, offer.size, offer.category, offer.url, offer.image_url, offer.gtins[1] AS gtin, offer.price IS NULL AS is_unavailable
      FROM staging.offer AS offer
      JOIN differing USING (sku)
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
       AND (differing.former_until_at IS NULL OR offer.observed_at > differing.former_until_at)
     UNION ALL
    SELECT known.sku_key, greatest(known.texts_at, seen.at), known.name, known.brand, known.size, known.category, known.url, known.image_url, known.gtin, false
      FROM core.sku AS known
      LEFT JOIN seen USING (sku_key)
     WHERE known.sku_key IN (SELECT sku_key FROM differing)
), merged AS (
    SELECT sku_key, max(at) AS texts_at, (array_agg(is_unavailable ORDER BY at DESC, is_unavailable))[1] AS is_unavailable,
           (array_agg(name ORDER BY at DESC, name COLLATE "C" DESC))[1] AS name,
           (array_agg(brand ORDER BY at DESC, brand COLLATE "C" DESC) FILTER (WHERE brand IS NOT NULL))[1] AS brand,
           (array_agg(size ORDER BY at DESC, size COLLATE "C" DESC) FILTER (WHERE size IS NOT NULL))[1] AS size,
           (array_agg(category ORDER BY at DESC, category COLLATE "C" DESC) FILTER (WHERE category IS NOT NULL))[1] AS category,
           (array_agg(url ORDER BY at DESC, url COLLATE "C" DESC) FILTER (WHERE url IS NOT NULL))[1] AS url,
           (array_agg(image_url ORDER BY at DESC, image_url COLLATE "C" DESC) FILTER (WHERE image_url IS NOT NULL))[1] AS image_url,
           (array_agg(gtin ORDER BY at DESC, gtin COLLATE "C" DESC) FILTER (WHERE gtin IS NOT NULL))[1] AS gtin
      FROM candidate
     GROUP BY sku_key
)
UPDATE core.sku AS known
   SET name = merged.name, brand = merged.brand, size = merged.size, category = merged.category, url = merged.url,
       image_url = merged.image_url, gtin = merged.gtin, texts_at = merged.texts_at
  FROM merged
 WHERE known.sku_key = merged.sku_key
   AND (known.name, known.brand, known.size, known.category, known.url, known.image_url, known.gtin) IS DISTINCT FROM
       (merged.name, merged.brand, merged.size, merged.category, merged.url, merged.image_url, merged.gtin)
    OR known.sku_key = merged.sku_key AND known.texts_at < merged.texts_at AND merged.is_unavailable

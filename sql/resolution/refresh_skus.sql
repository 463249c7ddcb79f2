-- Update known SKUs from the batch with the newest non-empty value per column.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded); only files not older than the store's last complete publish
-- Writes      core.sku   rows with a changed column; each column's merge rule is in its comment
-- Run again   nothing written

WITH speaking AS (
    SELECT file.file_id
      FROM ops.staged_file AS file
      LEFT JOIN core.store AS store ON store.retailer = file.retailer AND store.store_id = file.store_id
     WHERE file.file_id = ANY (%(file_ids)s)
       AND (store.complete_at IS NULL OR (file.observed_at, file.file_id) > (store.complete_at, store.complete_file_id))
), differing AS (
    SELECT DISTINCT offer.sku
      FROM staging.offer AS offer
      JOIN core.sku AS sku ON sku.retailer = %(retailer)s AND sku.sku = offer.sku
     WHERE offer.file_id IN (SELECT file_id FROM speaking) AND offer.reasons IS NULL AND NOT offer.is_folded
       AND (sku.name, sku.brand, sku.size, sku.category, sku.url, sku.image_url, sku.gtin) IS DISTINCT FROM
           (offer.name, coalesce(offer.brand, sku.brand), coalesce(offer.size, sku.size), coalesce(offer.category, sku.category),
            coalesce(offer.url, sku.url), coalesce(offer.image_url, sku.image_url), coalesce(offer.gtins[1], sku.gtin))
), newest AS (
    SELECT sku, (array_agg(name ORDER BY observed_at DESC, file_id DESC, line_number))[1] AS name,
           (array_agg(brand ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE brand IS NOT NULL))[1] AS brand,
           (array_agg(size ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE size IS NOT NULL))[1] AS size,
           (array_agg(category ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE category IS NOT NULL))[1] AS category,
           (array_agg(url ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE url IS NOT NULL))[1] AS url,
           (array_agg(image_url ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE image_url IS NOT NULL))[1] AS image_url,
           (array_agg(gtins[1] ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE gtins IS NOT NULL))[1] AS gtin
      FROM staging.offer
     WHERE file_id IN (SELECT file_id FROM speaking) AND sku IN (SELECT sku FROM differing) AND reasons IS NULL AND NOT is_folded
     GROUP BY sku
), merged AS (
    SELECT known.sku_key, newest.name, coalesce(newest.brand, known.brand) AS brand, coalesce(newest.size, known.size) AS size,
           coalesce(newest.category, known.category) AS category, coalesce(newest.url, known.url) AS url,
           coalesce(newest.image_url, known.image_url) AS image_url, coalesce(newest.gtin, known.gtin) AS gtin
      FROM newest
      JOIN core.sku AS known ON known.retailer = %(retailer)s AND known.sku = newest.sku
)
UPDATE core.sku AS known
   SET name = merged.name, brand = merged.brand, size = merged.size, category = merged.category, url = merged.url,
       image_url = merged.image_url, gtin = merged.gtin
  FROM merged
 WHERE known.sku_key = merged.sku_key
   AND (known.name, known.brand, known.size, known.category, known.url, known.image_url, known.gtin) IS DISTINCT FROM
       (merged.name, merged.brand, merged.size, merged.category, merged.url, merged.image_url, merged.gtin)

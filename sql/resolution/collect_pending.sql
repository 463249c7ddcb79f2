-- Collect the unknown SKUs of a batch with the newest non-empty value per column; of equal instants the greatest text, whatever the order of files.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded), core.sku
-- Writes      pending   each with the key it will have in core.sku
-- Run again   nothing written

WITH newest_at AS MATERIALIZED (  -- few columns: a hundred store-days are grouped here
    SELECT offer.sku, max(offer.observed_at) AS at
      FROM staging.offer AS offer
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
       AND NOT EXISTS (SELECT FROM core.sku AS known WHERE known.retailer = %(retailer)s AND known.sku = offer.sku)
     GROUP BY offer.sku
), newest AS MATERIALIZED (
    SELECT offer.sku, newest_at.at, max(offer.name COLLATE "C") AS name, max(offer.brand COLLATE "C") AS brand, max(offer.size COLLATE "C") AS size,
           max(offer.category COLLATE "C") AS category, max(offer.url COLLATE "C") AS url, max(offer.image_url COLLATE "C") AS image_url, max(offer.gtins) AS gtins
      FROM newest_at
      JOIN staging.offer AS offer ON offer.sku = newest_at.sku AND offer.observed_at = newest_at.at
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
     GROUP BY offer.sku, newest_at.at
), older AS (  -- lines with values that the newest one lacks: mostly none
    SELECT offer.sku, offer.observed_at, offer.brand, offer.size, offer.category, offer.url, offer.image_url, offer.gtins
      FROM newest
      JOIN staging.offer AS offer ON offer.sku = newest.sku
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
       AND (newest.brand IS NULL AND offer.brand IS NOT NULL OR newest.size IS NULL AND offer.size IS NOT NULL
            OR newest.category IS NULL AND offer.category IS NOT NULL OR newest.url IS NULL AND offer.url IS NOT NULL
            OR newest.image_url IS NULL AND offer.image_url IS NOT NULL OR newest.gtins IS NULL AND offer.gtins IS NOT NULL)
), filling AS (
    SELECT sku, (array_agg(brand ORDER BY observed_at DESC, brand COLLATE "C" DESC) FILTER (WHERE brand IS NOT NULL))[1] AS brand,
           (array_agg(size ORDER BY observed_at DESC, size COLLATE "C" DESC) FILTER (WHERE size IS NOT NULL))[1] AS size,
           (array_agg(category ORDER BY observed_at DESC, category COLLATE "C" DESC) FILTER (WHERE category IS NOT NULL))[1] AS category,
           (array_agg(url ORDER BY observed_at DESC, url COLLATE "C" DESC) FILTER (WHERE url IS NOT NULL))[1] AS url,
           (array_agg(image_url ORDER BY observed_at DESC, image_url COLLATE "C" DESC) FILTER (WHERE image_url IS NOT NULL))[1] AS image_url,
           string_to_array((array_agg(array_to_string(gtins, ',') ORDER BY observed_at DESC, gtins DESC) FILTER (WHERE gtins IS NOT NULL))[1], ',') AS gtins
      FROM older
     GROUP BY sku
), merged AS (
    SELECT newest.sku, newest.at, newest.name, coalesce(newest.brand, filling.brand) AS brand, coalesce(newest.size, filling.size) AS size,
           coalesce(newest.category, filling.category) AS category, coalesce(newest.url, filling.url) AS url,
           coalesce(newest.image_url, filling.image_url) AS image_url, coalesce(newest.gtins, filling.gtins) AS gtins
      FROM newest
      LEFT JOIN filling USING (sku)
)
INSERT INTO pending (retailer, sku, name, brand, size, category, url, image_url, gtins, texts_at)
SELECT %(retailer)s, sku, name, brand, size, category, url, image_url, gtins, at
  FROM merged
 ORDER BY sku
    ON CONFLICT (sku) DO NOTHING

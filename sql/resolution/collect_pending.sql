-- Collect the unknown SKUs of a batch, each with its newest name and the newest non-empty value per column.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded), core.sku
-- Writes      pending
-- Run again   nothing written

WITH line AS MATERIALIZED (  -- few columns: a hundred store-days are sorted here
    SELECT DISTINCT ON (offer.sku) offer.sku, offer.file_id, offer.line_number
      FROM staging.offer AS offer
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
       AND NOT EXISTS (SELECT FROM core.sku AS known WHERE known.retailer = %(retailer)s AND known.sku = offer.sku)
     ORDER BY offer.sku, offer.observed_at DESC, offer.file_id DESC, offer.line_number
), newest AS MATERIALIZED (
    SELECT offer.*
      FROM line
      JOIN staging.offer AS offer USING (file_id, line_number)
), older AS (  -- lines with values that the newest one lacks: mostly none
    SELECT offer.sku, offer.observed_at, offer.file_id, offer.line_number, offer.brand, offer.size, offer.category, offer.url, offer.image_url, offer.gtins
      FROM newest
      JOIN staging.offer AS offer ON offer.sku = newest.sku
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
       AND (newest.brand IS NULL AND offer.brand IS NOT NULL OR newest.size IS NULL AND offer.size IS NOT NULL
            OR newest.category IS NULL AND offer.category IS NOT NULL OR newest.url IS NULL AND offer.url IS NOT NULL
            OR newest.image_url IS NULL AND offer.image_url IS NOT NULL OR newest.gtins IS NULL AND offer.gtins IS NOT NULL)
), filling AS (
    SELECT sku, (array_agg(brand ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE brand IS NOT NULL))[1] AS brand,
           (array_agg(size ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE size IS NOT NULL))[1] AS size,
           (array_agg(category ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE category IS NOT NULL))[1] AS category,
           (array_agg(url ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE url IS NOT NULL))[1] AS url,
           (array_agg(image_url ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE image_url IS NOT NULL))[1] AS image_url,
           string_to_array((array_agg(array_to_string(gtins, ',') ORDER BY observed_at DESC, file_id DESC, line_number) FILTER (WHERE gtins IS NOT NULL))[1], ',') AS gtins
      FROM older
     GROUP BY sku
), merged AS (
    SELECT newest.sku, newest.name, coalesce(newest.brand, filling.brand) AS brand, coalesce(newest.size, filling.size) AS size,
           coalesce(newest.category, filling.category) AS category, coalesce(newest.url, filling.url) AS url,
           coalesce(newest.image_url, filling.image_url) AS image_url, coalesce(newest.gtins, filling.gtins) AS gtins
      FROM newest
      LEFT JOIN filling USING (sku)
)
INSERT INTO pending (n, retailer, sku, name, brand, size, category, url, image_url, gtins, normalised_text)
SELECT row_number() OVER (ORDER BY sku), %(retailer)s, sku, name, brand, size, category, url, image_url, gtins,
       lower(concat_ws('|', name, coalesce(brand, ''), coalesce(size, '')))
  FROM merged
    ON CONFLICT (n) DO NOTHING

-- Keep the newest texts of known SKUs; nothing is replaced by nothing.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded); only files not older than the store's last complete publish speak
-- Writes      core.sku   where name, brand, size or barcode changed; category, address and picture come along
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
       AND (sku.name, sku.brand, sku.size, sku.gtin) IS DISTINCT FROM
           (offer.name, coalesce(offer.brand, sku.brand), coalesce(offer.size, sku.size), coalesce(offer.gtins[1], sku.gtin))
), newest AS (
    SELECT DISTINCT ON (offer.sku) offer.*
      FROM staging.offer AS offer
     WHERE offer.file_id IN (SELECT file_id FROM speaking) AND offer.sku IN (SELECT sku FROM differing)
       AND offer.reasons IS NULL AND NOT offer.is_folded
     ORDER BY offer.sku, offer.observed_at DESC, offer.file_id DESC, offer.line_number
)
UPDATE core.sku AS known
   SET name = newest.name, brand = coalesce(newest.brand, known.brand), size = coalesce(newest.size, known.size),
       category = coalesce(newest.category, known.category), url = coalesce(newest.url, known.url),
       image_url = coalesce(newest.image_url, known.image_url), gtin = coalesce(newest.gtins[1], known.gtin)
  FROM newest
 WHERE known.retailer = %(retailer)s AND known.sku = newest.sku
   AND (known.name, known.brand, known.size, known.gtin) IS DISTINCT FROM
       (newest.name, coalesce(newest.brand, known.brand), coalesce(newest.size, known.size), coalesce(newest.gtins[1], known.gtin))

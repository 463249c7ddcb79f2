-- Write the instants of the store's watermark to its prices: an unchanged line counts with its own instant where crawls of a store overlap in time.
--
-- Called by   include/ingestion/store_prices.py, before a store-day that overlaps the watermark's is published
-- Parameters  file_id bigint: the watermark's store-day, whose accepted lines are in staging again; store_key integer
-- Reads       staging.offer, core.sku, core.store
-- Writes      core.price   observed_at and file_id of listed rows that the store-day showed unchanged
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.price AS known
   SET observed_at = seen.observed_at, file_id = %(file_id)s
  FROM (SELECT sku.sku_key, offer.observed_at
          FROM staging.offer AS offer
          JOIN core.sku AS sku ON sku.retailer = (SELECT retailer FROM core.store WHERE store_key = %(store_key)s) AND sku.sku = offer.sku
         WHERE offer.file_id = %(file_id)s AND offer.reasons IS NULL AND NOT offer.is_folded) AS seen
 WHERE known.store_key = %(store_key)s AND known.sku_key = seen.sku_key AND known.is_listed AND known.uses_store_watermark
   AND (known.observed_at, known.file_id) < (seen.observed_at, %(file_id)s)

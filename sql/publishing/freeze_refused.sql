-- A listed line that was refused is neither delisted nor refreshed: its price keeps the instant it was last observed at.
--
-- Called by   include/ingestion/publish.py, for a complete store-day, before the store's watermark moves
-- Parameters  file_id bigint; store_key integer
-- Reads       staging.offer (refused lines with a SKU that no accepted line repeats), core.store
-- Writes      core.price   observed_at, uses_store_watermark
-- Run again   nothing written

UPDATE core.price AS known
   SET observed_at = greatest(known.observed_at, (SELECT complete_at FROM core.store WHERE store_key = %(store_key)s)), uses_store_watermark = false
  FROM core.sku AS sku
 WHERE known.store_key = %(store_key)s AND sku.sku_key = known.sku_key
   AND known.is_listed AND known.uses_store_watermark
   AND sku.retailer = (SELECT retailer FROM core.store WHERE store_key = %(store_key)s)
   AND EXISTS (SELECT FROM staging.offer AS refused WHERE refused.file_id = %(file_id)s AND refused.sku = sku.sku AND refused.reasons IS NOT NULL)
   AND NOT EXISTS (SELECT FROM staging.offer AS accepted WHERE accepted.file_id = %(file_id)s AND accepted.sku = sku.sku AND accepted.reasons IS NULL)

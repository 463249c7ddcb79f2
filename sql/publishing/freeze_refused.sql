-- A listed line that was refused is neither delisted nor refreshed: its price keeps the instant it was last observed at.
--
-- Called by   include/ingestion/publish.py, for a complete store-day, before the store's watermark moves
-- Parameters  file_id bigint; store_key integer
-- Reads       staging.offer (refused lines with a SKU that no accepted line repeats), core.store
-- Writes      core.price   observed_at, uses_store_watermark
-- Run again   nothing written

UPDATE core.price AS known
   SET observed_at = greatest(known.observed_at, store.complete_at), uses_store_watermark = false
  FROM core.store AS store, core.sku AS sku
 WHERE known.store_key = %(store_key)s AND store.store_key = known.store_key AND sku.sku_key = known.sku_key
   AND known.is_listed AND known.uses_store_watermark
   AND sku.retailer = store.retailer
   AND sku.sku IN (SELECT sku FROM staging.offer WHERE file_id = %(file_id)s AND reasons IS NOT NULL)
   AND sku.sku NOT IN (SELECT sku FROM staging.offer WHERE file_id = %(file_id)s AND reasons IS NULL AND sku IS NOT NULL)

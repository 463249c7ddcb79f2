-- Save the last instant at which a store showed each SKU as the instant of the SKU's texts, before a retraction takes the instant from the store's prices.
--
-- Called by   include/ingestion/retract.py
-- Parameters  retailer, store_id text
-- Reads       core.price (rows that are not retracted), core.store
-- Writes      core.sku   texts_at, of SKUs of the store whose prices are newer than it
-- Run again   nothing written
--
-- What a retracted store-day said about texts still counts: an older line, seen later, replaces none of them.

UPDATE core.sku AS known
   SET texts_at = seen.at
  FROM (SELECT price.sku_key, CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, store.complete_at) ELSE price.observed_at END AS at
          FROM core.price AS price
          JOIN core.store AS store USING (store_key)
         WHERE store.retailer = %(retailer)s AND store.store_id = %(store_id)s AND price.retracted_at IS NULL) AS seen
 WHERE known.sku_key = seen.sku_key AND known.texts_at < seen.at

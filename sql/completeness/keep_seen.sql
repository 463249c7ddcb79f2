-- Write to each price that a store-day refreshed through the store's watermark when it was seen, before the watermark goes back.
--
-- Called by   include/ingestion/completeness.py, for the store's newest complete store-day, which is no longer complete
-- Parameters  store_key integer
-- Reads       core.store
-- Writes      core.price   observed_at
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.price AS price
   SET observed_at = store.complete_at
  FROM core.store AS store
 WHERE store.store_key = %(store_key)s AND price.store_key = %(store_key)s
   AND price.is_listed AND price.uses_store_watermark AND price.observed_at < store.complete_at

-- Collect the price rows of a store that would differ without one of its store-days, or all of them, as they are before anything is changed.
--
-- Called by   include/ingestion/retract.py, include/ingestion/replay.py, under the store's lock
-- Parameters  file_id bigint: the store-day; store_key integer; is_whole_store boolean: every row may differ
-- Reads       core.price, core.sku, core.store, ops.staged_file, ops.quarantined_offer
-- Writes      affected   temporary; one row per SKU; is_written: the store-day wrote the row, so the earlier price is only in older files; its values before
-- Run again   nothing written
--
-- These are the rows it wrote or priced, delisted or refused, and those last observed through it and then refused or delisted.

CREATE TEMPORARY TABLE IF NOT EXISTS affected ON COMMIT DROP AS
SELECT price.*, sku.sku, %(file_id)s IN (price.file_id, price.price_file_id) AS is_written, false AS is_known
  FROM core.price AS price
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN (SELECT DISTINCT line.sku FROM ops.quarantined_offer AS line WHERE line.file_id = %(file_id)s) AS refused USING (sku)
 WHERE price.store_key = %(store_key)s AND sku.retailer = (SELECT retailer FROM core.store WHERE store_key = %(store_key)s)
   AND (%(is_whole_store)s OR %(file_id)s IN (price.file_id, price.price_file_id)
        OR (SELECT is_complete FROM ops.staged_file WHERE file_id = %(file_id)s)
           AND (price.delisted_at = (SELECT observed_at FROM ops.staged_file WHERE file_id = %(file_id)s)
                OR NOT price.uses_store_watermark AND price.observed_at = (SELECT observed_at FROM ops.staged_file WHERE file_id = %(file_id)s)
                OR NOT price.uses_store_watermark AND refused.sku IS NOT NULL))

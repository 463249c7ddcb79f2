-- Collect the price rows of a store that would differ without one of its store-days.
--
-- Called by   include/ingestion/retract.py, under the store's lock
-- Parameters  file_id bigint: the store-day to retract; store_key integer; is_overlapping boolean: it overlaps another in time, so every row may differ
-- Reads       core.price, core.sku, core.store, ops.staged_file, ops.quarantined_offer
-- Writes      affected   temporary; one row per SKU; is_written: the store-day wrote the row, so the earlier price is only in older files; its price now
-- Run again   nothing written
--
-- These are the rows it wrote or priced, delisted or refused, and those last observed through it and then refused or delisted.

CREATE TEMPORARY TABLE IF NOT EXISTS affected ON COMMIT DROP AS
SELECT price.sku_key, sku.sku, %(file_id)s IN (price.file_id, price.price_file_id) AS is_written, false AS is_known,
       price.price_cents, price.is_listed, price.is_available
  FROM core.price AS price
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN (SELECT DISTINCT line.sku FROM ops.quarantined_offer AS line WHERE line.file_id = %(file_id)s) AS refused USING (sku)
 WHERE price.store_key = %(store_key)s AND sku.retailer = (SELECT retailer FROM core.store WHERE store_key = %(store_key)s)
   AND (%(is_overlapping)s OR %(file_id)s IN (price.file_id, price.price_file_id)
        OR (SELECT is_complete FROM ops.staged_file WHERE file_id = %(file_id)s)
           AND (price.delisted_at = (SELECT observed_at FROM ops.staged_file WHERE file_id = %(file_id)s)
                OR NOT price.uses_store_watermark AND price.observed_at = (SELECT observed_at FROM ops.staged_file WHERE file_id = %(file_id)s)
                OR NOT price.uses_store_watermark AND refused.sku IS NOT NULL))

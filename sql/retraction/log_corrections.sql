-- Append the difference between the prices before and now to the change log, if it is on.
--
-- Called by   include/ingestion/replay.py, after the rows are restored
-- Parameters  file_id bigint: the store-day that caused it; store_key integer; now timestamptz; is_whole_store boolean: affected has every row the store had
-- Reads       affected (the prices before), core.price (the prices now)
-- Writes      core.price_change   one row per changed price
-- Run again   nothing written

INSERT INTO core.price_change (store_key, sku_key, changed_at, file_id, change_kind, old_price_cents, new_price_cents, observed_at)
SELECT price.store_key, price.sku_key, %(now)s, %(file_id)s,
       CASE WHEN before.sku_key IS NULL THEN 'created'
            WHEN before.is_listed AND NOT price.is_listed THEN 'delisted'
            WHEN price.is_listed AND NOT before.is_listed OR price.is_available AND NOT before.is_available THEN 'relisted'
            WHEN before.is_available AND NOT price.is_available THEN 'unavailable'
            ELSE 'changed'
       END,
       before.price_cents, CASE WHEN price.is_listed AND price.is_available THEN price.price_cents END, price.observed_at
  FROM core.price AS price
  LEFT JOIN affected AS before ON before.sku_key = price.sku_key
 WHERE price.store_key = %(store_key)s AND current_setting('aisleflow.change_log', true) = 'on'
   AND (before.sku_key IS NOT NULL OR %(is_whole_store)s)
   AND (before.price_cents, before.is_listed, before.is_available) IS DISTINCT FROM (price.price_cents, price.is_listed, price.is_available)
    ON CONFLICT DO NOTHING

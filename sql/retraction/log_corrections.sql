-- Append the changes of a retraction to the change log, if it is on.
--
-- Called by   include/ingestion/retract.py, after the rows are restored
-- Parameters  file_id bigint: the retracted store-day; store_key integer; now timestamptz
-- Reads       affected (the prices before), core.price (the prices now)
-- Writes      core.price_change   one row per changed price
-- Run again   nothing written

INSERT INTO core.price_change (store_key, sku_key, changed_at, file_id, change_kind, old_price_cents, new_price_cents, observed_at)
SELECT price.store_key, price.sku_key, %(now)s, %(file_id)s,
       CASE WHEN before.is_listed AND NOT price.is_listed THEN 'delisted'
            WHEN price.is_listed AND NOT before.is_listed OR price.is_available AND NOT before.is_available THEN 'relisted'
            WHEN before.is_available AND NOT price.is_available THEN 'unavailable'
            ELSE 'changed'
       END,
       before.price_cents, CASE WHEN price.is_listed AND price.is_available THEN price.price_cents END, price.observed_at
  FROM affected AS before
  JOIN core.price AS price ON price.store_key = %(store_key)s AND price.sku_key = before.sku_key
 WHERE current_setting('aisleflow.change_log', true) = 'on'
   AND (before.price_cents, before.is_listed, before.is_available) IS DISTINCT FROM (price.price_cents, price.is_listed, price.is_available)
    ON CONFLICT DO NOTHING

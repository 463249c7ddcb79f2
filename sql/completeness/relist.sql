-- List again what a store-day delisted that is no longer complete.
--
-- Called by   include/ingestion/completeness.py
-- Parameters  store_key integer; file_id bigint; observed_at timestamptz: the store-day's instant; now timestamptz
-- Writes      core.price; core.price_change, if the change log is on: one row per price
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

WITH relisted AS (
    UPDATE core.price AS price
       SET is_listed = true, delisted_at = NULL, uses_store_watermark = true, changed_at = %(now)s
     WHERE price.store_key = %(store_key)s AND NOT price.is_listed AND price.delisted_at = %(observed_at)s AND price.retracted_at IS NULL
    RETURNING price.sku_key, price.price_cents
)
INSERT INTO core.price_change (store_key, sku_key, changed_at, file_id, change_kind, old_price_cents, new_price_cents, observed_at)
SELECT %(store_key)s, sku_key, %(now)s, %(file_id)s, 'relisted', price_cents, price_cents, %(observed_at)s
  FROM relisted
 WHERE current_setting('aisleflow.change_log', true) = 'on'
    ON CONFLICT DO NOTHING

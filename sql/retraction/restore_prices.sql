-- Restore the affected rows of a store to their values without the retracted store-day.
--
-- Called by   include/ingestion/retract.py, under the store's lock
-- Parameters  store_key integer; working_store_key integer: the working store on which the other store-days were published again; now timestamptz
-- Reads       affected
-- Writes      core.price   changed_at moves forward if a visible value differs; affected   is_known
-- Run again   nothing written

WITH replayed AS MATERIALIZED (
    SELECT price.* FROM core.price AS price JOIN affected USING (sku_key) WHERE price.store_key = %(working_store_key)s
), known AS (
    UPDATE affected SET is_known = true FROM replayed WHERE affected.sku_key = replayed.sku_key AND NOT affected.is_known
)
UPDATE core.price AS price
   SET price_cents = replayed.price_cents, was_price_cents = replayed.was_price_cents, unit_price = replayed.unit_price,
       unit_of_measure = replayed.unit_of_measure, is_on_special = replayed.is_on_special, price_basis = replayed.price_basis,
       multi_buy_quantity = replayed.multi_buy_quantity, multi_buy_cents = replayed.multi_buy_cents, is_available = replayed.is_available,
       is_listed = replayed.is_listed, uses_store_watermark = replayed.uses_store_watermark, delisted_at = replayed.delisted_at,
       observed_at = replayed.observed_at, file_id = replayed.file_id, price_file_id = replayed.price_file_id, retracted_at = NULL,
       changed_at = CASE WHEN (price.price_cents, price.was_price_cents, price.unit_price, price.unit_of_measure, price.is_on_special, price.price_basis, price.multi_buy_quantity, price.multi_buy_cents, price.is_available, price.is_listed, price.delisted_at)
                              IS DISTINCT FROM
                              (replayed.price_cents, replayed.was_price_cents, replayed.unit_price, replayed.unit_of_measure, replayed.is_on_special, replayed.price_basis, replayed.multi_buy_quantity, replayed.multi_buy_cents, replayed.is_available, replayed.is_listed, replayed.delisted_at)
                         THEN %(now)s ELSE price.changed_at END
  FROM replayed
 WHERE price.store_key = %(store_key)s AND price.sku_key = replayed.sku_key
   AND (price.price_cents, price.was_price_cents, price.unit_price, price.unit_of_measure, price.is_on_special, price.price_basis, price.multi_buy_quantity, price.multi_buy_cents, price.is_available, price.is_listed,
        price.uses_store_watermark, price.delisted_at, price.observed_at, price.file_id, price.price_file_id)
       IS DISTINCT FROM
       (replayed.price_cents, replayed.was_price_cents, replayed.unit_price, replayed.unit_of_measure, replayed.is_on_special, replayed.price_basis, replayed.multi_buy_quantity, replayed.multi_buy_cents, replayed.is_available, replayed.is_listed,
        replayed.uses_store_watermark, replayed.delisted_at, replayed.observed_at, replayed.file_id, replayed.price_file_id)

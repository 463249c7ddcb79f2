-- Give the rows of a store the values that its store-days give when they are published again in order of time.
--
-- Called by   include/ingestion/retract.py, include/ingestion/replay.py, under the store's lock
-- Parameters  store_key integer; working_store_key integer: the working store on which they were published again; now timestamptz
-- Reads       affected   the values before
-- Writes      core.price   changed_at moves forward if a visible value differs from the one before; affected   is_known
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

WITH replayed AS MATERIALIZED (
    SELECT price.*,
           CASE WHEN (before.price_cents, before.was_price_cents, before.unit_price, before.unit_of_measure, before.is_on_special, before.price_basis, before.multi_buy_quantity, before.multi_buy_cents, before.is_available, before.is_listed, before.delisted_at)
                     IS DISTINCT FROM
                     (price.price_cents, price.was_price_cents, price.unit_price, price.unit_of_measure, price.is_on_special, price.price_basis, price.multi_buy_quantity, price.multi_buy_cents, price.is_available, price.is_listed, price.delisted_at)
                THEN %(now)s ELSE before.changed_at END AS moved_at
      FROM core.price AS price
      LEFT JOIN affected AS before ON before.sku_key = price.sku_key
     WHERE price.store_key = %(working_store_key)s
), known AS (
    UPDATE affected SET is_known = true FROM replayed WHERE affected.sku_key = replayed.sku_key AND NOT affected.is_known
)
UPDATE core.price AS price
   SET price_cents = replayed.price_cents, was_price_cents = replayed.was_price_cents, unit_price = replayed.unit_price,
       unit_of_measure = replayed.unit_of_measure, is_on_special = replayed.is_on_special, price_basis = replayed.price_basis,
       multi_buy_quantity = replayed.multi_buy_quantity, multi_buy_cents = replayed.multi_buy_cents, is_available = replayed.is_available,
       is_listed = replayed.is_listed, uses_store_watermark = replayed.uses_store_watermark, delisted_at = replayed.delisted_at,
       observed_at = replayed.observed_at, file_id = replayed.file_id, price_file_id = replayed.price_file_id, retracted_at = NULL,
       changed_at = replayed.moved_at
  FROM replayed
 WHERE price.store_key = %(store_key)s AND price.sku_key = replayed.sku_key
   AND (price.price_cents, price.was_price_cents, price.unit_price, price.unit_of_measure, price.is_on_special, price.price_basis, price.multi_buy_quantity, price.multi_buy_cents, price.is_available, price.is_listed,
        price.uses_store_watermark, price.delisted_at, price.observed_at, price.file_id, price.price_file_id, price.changed_at)
       IS DISTINCT FROM
       (replayed.price_cents, replayed.was_price_cents, replayed.unit_price, replayed.unit_of_measure, replayed.is_on_special, replayed.price_basis, replayed.multi_buy_quantity, replayed.multi_buy_cents, replayed.is_available, replayed.is_listed,
        replayed.uses_store_watermark, replayed.delisted_at, replayed.observed_at, replayed.file_id, replayed.price_file_id, replayed.moved_at)

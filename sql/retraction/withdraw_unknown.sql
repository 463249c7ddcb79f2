-- Withdraw the retracted store-day's prices of SKUs that no other store-day prices: delisted, unavailable, marked as retracted.
--
-- Called by   include/ingestion/retract.py, after the known rows are restored
-- Parameters  store_key integer; observed_at timestamptz: the instant of the retracted store-day; now timestamptz
-- Reads       affected
-- Writes      core.price   the row stays, so that incremental readers get the change
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.price AS price
   SET is_listed = false, is_available = false, uses_store_watermark = false, delisted_at = coalesce(price.delisted_at, %(observed_at)s),
       changed_at = %(now)s, retracted_at = %(now)s
  FROM affected
 WHERE price.store_key = %(store_key)s AND price.sku_key = affected.sku_key AND affected.is_written AND NOT affected.is_known
   AND price.retracted_at IS NULL

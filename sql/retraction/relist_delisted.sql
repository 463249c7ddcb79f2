-- Undo the retracted store-day's delistings and observations of rows it did not write and no archived store-day lists; their values are still in the row.
--
-- Called by   include/ingestion/retract.py, after the known rows are restored
-- Parameters  store_key integer; observed_at timestamptz: the instant of the retracted store-day; now timestamptz;
--             before_at timestamptz: the store's complete store-day before it; after_at timestamptz: the one after it (null = none)
-- Reads       affected
-- Writes      core.price   listed again unless a later complete store-day does not list it either; observed through the store-day before
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.price AS price
   SET is_listed = CASE WHEN price.delisted_at = %(observed_at)s THEN %(after_at)s::timestamptz IS NULL ELSE price.is_listed END,
       delisted_at = CASE WHEN price.delisted_at = %(observed_at)s THEN %(after_at)s ELSE price.delisted_at END,
       uses_store_watermark = CASE WHEN %(after_at)s::timestamptz IS NULL THEN coalesce(price.observed_at >= %(before_at)s, true) ELSE price.uses_store_watermark END,
       observed_at = CASE WHEN price.observed_at = %(observed_at)s THEN coalesce(%(before_at)s, price.observed_at) ELSE price.observed_at END,
       changed_at = CASE WHEN price.delisted_at = %(observed_at)s THEN %(now)s ELSE price.changed_at END
  FROM affected
 WHERE price.store_key = %(store_key)s AND price.sku_key = affected.sku_key AND NOT affected.is_written AND NOT affected.is_known
   AND price.retracted_at IS NULL
   AND (price.delisted_at = %(observed_at)s AND price.delisted_at IS DISTINCT FROM %(after_at)s
        OR price.observed_at = %(observed_at)s AND %(before_at)s::timestamptz IS NOT NULL
        OR %(after_at)s::timestamptz IS NULL AND price.is_listed AND NOT price.uses_store_watermark AND coalesce(price.observed_at >= %(before_at)s, true))

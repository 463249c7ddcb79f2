-- Move the store's watermark to a complete store-day: all listed prices that use it were observed then.
--
-- Called by   include/ingestion/store_prices.py
-- Parameters  store_key integer; observed_at timestamptz; file_id bigint
-- Writes      core.store   one row, all that an unchanged night writes
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.store
   SET complete_at = %(observed_at)s, complete_file_id = %(file_id)s
 WHERE store_key = %(store_key)s AND (complete_at, complete_file_id) IS DISTINCT FROM (%(observed_at)s, %(file_id)s)

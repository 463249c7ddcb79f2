-- Give the store the prices that only its store-days in order of time show: no row of the store has them yet.
--
-- Called by   include/ingestion/replay.py, after the known rows are restored
-- Parameters  store_key integer; working_store_key integer: the working store on which the store-days were published again; now timestamptz
-- Writes      core.price   rows of the working store without a row of the store become the store's
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.price AS price
   SET store_key = %(store_key)s, changed_at = %(now)s
 WHERE price.store_key = %(working_store_key)s
   AND NOT EXISTS (SELECT FROM core.price AS own WHERE own.store_key = %(store_key)s AND own.sku_key = price.sku_key)

-- Give the store the prices that only the retracted store-day kept out: it overlapped theirs in time and did not list them.
--
-- Called by   include/ingestion/retract.py, after the known rows are restored
-- Parameters  store_key integer; working_store_key integer: the working store on which the other store-days were published again;
--             file_id bigint: the retracted store-day; now timestamptz
-- Writes      core.price   rows of the working store without a row of the store become the store's; core.price_change, if the change log is on
-- Run again   nothing written

WITH moved AS (
    UPDATE core.price AS price
       SET store_key = %(store_key)s, changed_at = %(now)s
     WHERE price.store_key = %(working_store_key)s
       AND NOT EXISTS (SELECT FROM core.price AS own WHERE own.store_key = %(store_key)s AND own.sku_key = price.sku_key)
    RETURNING price.sku_key, price.price_cents, price.is_available, price.is_listed, price.observed_at
), logged AS (
    INSERT INTO core.price_change (store_key, sku_key, changed_at, file_id, change_kind, new_price_cents, observed_at)
    SELECT %(store_key)s, sku_key, %(now)s, %(file_id)s, 'created', CASE WHEN is_listed AND is_available THEN price_cents END, observed_at
      FROM moved
     WHERE current_setting('aisleflow.change_log', true) = 'on'
        ON CONFLICT DO NOTHING
)
SELECT count(*) AS added FROM moved

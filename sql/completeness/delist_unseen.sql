-- Delist what the store has not listed since a store-day that is complete now. A line that it refused stays listed, with the instant it was seen at.
--
-- Called by   include/ingestion/completeness.py, before the store's watermark moves
-- Parameters  store_key integer; file_id bigint; observed_at timestamptz: the store-day's instant; now timestamptz
-- Reads       core.store, core.sku, ops.quarantined_offer
-- Writes      core.price; core.price_change, if the change log is on: one row per delisted price
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written
--
-- An incomplete store-day writes observed_at of what it lists: what has an earlier one was not listed.

WITH unseen AS MATERIALIZED (
    SELECT price.sku_key, price.price_cents, refused.sku IS NOT NULL AS is_refused,
           CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, store.complete_at) ELSE price.observed_at END AS observed_at
      FROM core.price AS price
      JOIN core.store AS store ON store.store_key = price.store_key
      JOIN core.sku AS sku ON sku.sku_key = price.sku_key AND sku.retailer = store.retailer
      LEFT JOIN (SELECT DISTINCT sku FROM ops.quarantined_offer WHERE file_id = %(file_id)s) AS refused ON refused.sku = sku.sku
     WHERE price.store_key = %(store_key)s AND price.is_listed
       AND CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, store.complete_at) ELSE price.observed_at END < %(observed_at)s
), changed AS (
    UPDATE core.price AS price
       SET is_listed = unseen.is_refused, delisted_at = CASE WHEN unseen.is_refused THEN NULL ELSE %(observed_at)s::timestamptz END, uses_store_watermark = false,
           observed_at = unseen.observed_at, changed_at = CASE WHEN unseen.is_refused THEN price.changed_at ELSE %(now)s END
      FROM unseen
     WHERE price.store_key = %(store_key)s AND price.sku_key = unseen.sku_key AND (price.uses_store_watermark OR NOT unseen.is_refused)
    RETURNING price.sku_key, price.price_cents, unseen.is_refused
)
INSERT INTO core.price_change (store_key, sku_key, changed_at, file_id, change_kind, old_price_cents, observed_at)
SELECT %(store_key)s, sku_key, %(now)s, %(file_id)s, 'delisted', price_cents, %(observed_at)s
  FROM changed
 WHERE NOT is_refused AND current_setting('aisleflow.change_log', true) = 'on'
    ON CONFLICT DO NOTHING

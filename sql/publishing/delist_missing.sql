-- Delist prices that a complete store-day no longer lists; a refused line still counts as listed, and one whose SKU cannot be read as any good.
--
-- Called by   include/ingestion/store_prices.py, after the prices are merged
-- Parameters  file_id bigint; store_key integer; observed_at timestamptz: the store-day's instant; now timestamptz;
--             complete_at timestamptz, complete_file_id bigint: the store's watermark before it, null without one
-- Reads       staging.offer, core.sku
-- Writes      core.price   observed_at becomes the last instant it was seen; a row observed after the store-day stays listed
--             core.price_change   if the change log is on: one row per delisted price
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

WITH delisted AS (
    UPDATE core.price AS known
       SET is_listed = false, delisted_at = %(observed_at)s, changed_at = %(now)s,
           observed_at = CASE WHEN known.uses_store_watermark
                              THEN greatest(known.observed_at, %(complete_at)s::timestamptz)
                              ELSE known.observed_at END,
           uses_store_watermark = false
     WHERE known.store_key = %(store_key)s AND known.is_listed
       AND (known.observed_at, known.file_id) < (%(observed_at)s, %(file_id)s)  -- of equal instants the later registration wins
       AND known.file_id <> %(file_id)s
       AND NOT EXISTS (SELECT FROM staging.offer AS cut WHERE cut.file_id = %(file_id)s AND cut.sku IS NULL)
       AND NOT (known.uses_store_watermark  -- shown by a complete store-day that began later: this one overlaps it and arrived late
                AND coalesce((%(complete_at)s::timestamptz, %(complete_file_id)s::bigint) > (%(observed_at)s, %(file_id)s), false))
       AND NOT EXISTS (SELECT
                         FROM staging.offer AS offer
                         JOIN core.sku AS sku ON sku.sku = offer.sku
                        WHERE offer.file_id = %(file_id)s AND sku.retailer = (SELECT retailer FROM ops.staged_file WHERE file_id = %(file_id)s)
                          AND sku.sku_key = known.sku_key)
    RETURNING known.store_key, known.sku_key, known.price_cents
), logged AS (
    INSERT INTO core.price_change (store_key, sku_key, changed_at, file_id, change_kind, old_price_cents, observed_at)
    SELECT store_key, sku_key, %(now)s, %(file_id)s, 'delisted', price_cents, %(observed_at)s
      FROM delisted
     WHERE current_setting('aisleflow.change_log', true) = 'on'
        ON CONFLICT DO NOTHING
)
SELECT count(*) AS delisted FROM delisted

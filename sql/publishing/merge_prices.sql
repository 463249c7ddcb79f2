-- Publish the accepted offers of one store-day as the store's newest prices.
--
-- Called by   include/ingestion/store_prices.py, task `publish` of `ingest_prices`, under the store's lock
-- Parameters  file_id bigint; store_key integer; now timestamptz; complete_at timestamptz, complete_file_id bigint: the store's watermark, null without one;
--             is_exact boolean: each row it lists keeps the instant of its line (an incomplete store-day, or one that overlaps another in time)
-- Reads       staging.offer   one row per (file, SKU): refused and folded lines are left out; ops.quarantined_offer
-- Writes      core.price      one row per (store, SKU); without is_exact unchanged rows are not touched: the store's watermark refreshes them
--             core.price_change   if the change log is on: one row per price created, changed, delisted or relisted
--             core.inference_change   by a trigger: stores of groups
-- Units       *_cents: integer cents, tax included; *_at: UTC instants; changed_at is the time of publishing
-- Run again   nothing written: created and updated are 0, the same file changes nothing a second time
--
-- The newest line of a price wins, of equal instants the later registration. A line older than the store-day that delisted the row is outdated, and so is
-- one without a valid row that is older than the watermark, unless the store-day there listed it and the line was refused.

WITH seen AS MATERIALIZED (
    SELECT sku.sku_key, sku.sku, (offer.price * 100)::integer AS price_cents,
           CASE WHEN offer.was_price > offer.price THEN (offer.was_price * 100)::integer END AS was_price_cents,
           offer.unit_price, offer.unit_of_measure, coalesce(offer.is_on_special, false) AS is_on_special, offer.price_basis,
           CASE WHEN multi_buy.is_valid THEN offer.multi_buy_quantity END AS multi_buy_quantity,
           CASE WHEN multi_buy.is_valid THEN (offer.multi_buy_price * 100)::integer END AS multi_buy_cents, offer.observed_at
      FROM staging.offer AS offer
     CROSS JOIN LATERAL (SELECT offer.multi_buy_quantity > 1 AND offer.multi_buy_price BETWEEN 0.01 AND 20000 AND offer.multi_buy_price = round(offer.multi_buy_price, 2) AS is_valid) AS multi_buy
      JOIN core.sku AS sku ON sku.retailer = (SELECT retailer FROM ops.staged_file WHERE file_id = %(file_id)s) AND sku.sku = offer.sku
     WHERE offer.file_id = %(file_id)s AND offer.reasons IS NULL AND NOT offer.is_folded
), listed AS MATERIALIZED (  -- by the store-day at the watermark, which refused the lines
    SELECT sku FROM ops.quarantined_offer WHERE file_id = %(complete_file_id)s AND state <> 'released'
), known AS MATERIALIZED (
    SELECT * FROM core.price WHERE store_key = %(store_key)s
), evaluated AS (
    SELECT seen.*, known.sku_key IS NULL AS is_new, known.price_cents AS old_price_cents,
           CASE WHEN known.sku_key IS NULL THEN 'created'
                WHEN seen.price_cents IS NULL AND known.is_available THEN 'unavailable'
                WHEN NOT known.is_listed OR NOT known.is_available AND seen.price_cents IS NOT NULL THEN 'relisted'
                WHEN known.price_cents <> seen.price_cents THEN 'changed'
           END AS change_kind,
           coalesce(CASE WHEN known.sku_key IS NULL OR known.retracted_at IS NOT NULL
                         THEN (%(complete_at)s::timestamptz, %(complete_file_id)s::bigint) > (seen.observed_at, %(file_id)s) AND NOT EXISTS (SELECT FROM listed WHERE listed.sku = seen.sku)
                              AND NOT EXISTS (SELECT FROM listed WHERE listed.sku IS NULL)  -- a line whose SKU cannot be read may be any good's
                         ELSE (known.observed_at, known.file_id) > (seen.observed_at, %(file_id)s)
                              OR (known.delisted_at, CASE WHEN known.delisted_at = %(complete_at)s::timestamptz THEN %(complete_file_id)s::bigint END) > (seen.observed_at, %(file_id)s)
                    END, false) AS is_outdated,
           CASE WHEN seen.price_cents IS NULL THEN (known.is_listed, known.is_available) IS DISTINCT FROM (true, false)
                ELSE (known.price_cents, known.was_price_cents, known.unit_price, known.unit_of_measure, known.is_on_special, known.price_basis, known.multi_buy_quantity,
                      known.multi_buy_cents, known.is_available, known.is_listed)
                     IS DISTINCT FROM (seen.price_cents, seen.was_price_cents, seen.unit_price, seen.unit_of_measure, seen.is_on_special, seen.price_basis, seen.multi_buy_quantity,
                      seen.multi_buy_cents, true, true)
           END AS is_changed,
           %(is_exact)s AND (known.observed_at, known.file_id) < (seen.observed_at, %(file_id)s)
               OR NOT known.uses_store_watermark AND coalesce(seen.observed_at >= %(complete_at)s::timestamptz, true) AS is_to_refresh,
           coalesce(seen.observed_at >= %(complete_at)s::timestamptz, true) AS uses_store_watermark,
           seen.price_cents IS NULL AND known.retracted_at IS NOT NULL AS is_unknown  -- retracted: there is no valid price to keep
      FROM seen
      LEFT JOIN known USING (sku_key)
), written AS (
    MERGE INTO core.price AS price
    USING (SELECT * FROM evaluated WHERE NOT is_outdated AND (is_new AND price_cents IS NOT NULL OR NOT is_new AND NOT is_unknown AND (is_changed OR is_to_refresh))) AS new
       ON price.store_key = %(store_key)s AND price.sku_key = new.sku_key
     WHEN MATCHED AND new.price_cents IS NULL
          THEN UPDATE SET is_available = false, is_listed = true, uses_store_watermark = new.uses_store_watermark, delisted_at = NULL, observed_at = new.observed_at,
                          changed_at = CASE WHEN new.is_changed THEN %(now)s ELSE price.changed_at END, file_id = %(file_id)s
     WHEN MATCHED
          THEN UPDATE SET price_cents = new.price_cents, was_price_cents = new.was_price_cents, unit_price = new.unit_price,
                          unit_of_measure = new.unit_of_measure, is_on_special = new.is_on_special, price_basis = new.price_basis,
                          multi_buy_quantity = new.multi_buy_quantity, multi_buy_cents = new.multi_buy_cents, is_available = true, is_listed = true,
                          retracted_at = NULL, uses_store_watermark = new.uses_store_watermark, delisted_at = NULL, observed_at = new.observed_at,
                          changed_at = CASE WHEN new.is_changed THEN %(now)s ELSE price.changed_at END, file_id = %(file_id)s, price_file_id = %(file_id)s
     WHEN NOT MATCHED
          THEN INSERT (store_key, sku_key, price_cents, was_price_cents, unit_price, unit_of_measure, is_on_special, price_basis, multi_buy_quantity, multi_buy_cents, is_available, is_listed,
                       uses_store_watermark, observed_at, changed_at, file_id, price_file_id)
               VALUES (%(store_key)s, new.sku_key, new.price_cents, new.was_price_cents, new.unit_price, new.unit_of_measure, new.is_on_special,
                       new.price_basis, new.multi_buy_quantity, new.multi_buy_cents, true, true, new.uses_store_watermark, new.observed_at, %(now)s, %(file_id)s, %(file_id)s)
    RETURNING merge_action() AS action, new.sku_key, new.change_kind, new.old_price_cents, new.price_cents, new.observed_at
), logged AS (  -- not evaluated while the log is off
    INSERT INTO core.price_change (store_key, sku_key, changed_at, file_id, change_kind, old_price_cents, new_price_cents, observed_at)
    SELECT %(store_key)s, sku_key, %(now)s, %(file_id)s, change_kind, old_price_cents, price_cents, observed_at
      FROM written
     WHERE change_kind IS NOT NULL AND current_setting('aisleflow.change_log', true) = 'on'
        ON CONFLICT DO NOTHING
)
SELECT count(*) FILTER (WHERE price_cents IS NULL) AS unavailable,
       count(*) FILTER (WHERE price_cents IS NOT NULL AND is_outdated) AS outdated,
       count(*) FILTER (WHERE price_cents IS NOT NULL AND NOT is_outdated AND is_new) AS created,
       count(*) FILTER (WHERE price_cents IS NOT NULL AND NOT is_outdated AND NOT is_new AND is_changed) AS updated,
       count(*) FILTER (WHERE price_cents IS NOT NULL AND NOT is_outdated AND NOT is_new AND NOT is_changed) AS unchanged,
       (SELECT count(*) FROM written) AS rows_written
  FROM evaluated

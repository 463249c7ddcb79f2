-- Compare the prices of store-days with the known ones: mark lines too far from theirs, and count and sum the others per category.
--
-- Called by   include/ingestion/checks/comparing.py, before lines are marked as refused
-- Parameters  retailer text; file_ids bigint[], week_starts timestamptz[] (parallel: the price week of each store-day; infinity: it crosses a Wednesday);
--             factor_max double precision; known_days, sisters integer: age of known prices that are compared, stores to compare unknown SKUs with
-- Reads       staging.offer, ops.staged_file, core.store, core.sku, core.price, ops.data_quality_result; one row per store-day and category of the first level
-- Writes      staging.offer   known_cents
-- Run again   nothing written
--
-- The known price is the store's own published one; of an SKU that the store does not know, the median of the retailer's stores crawled last.
-- A retracted price is compared with nothing, nor is one of another basis. Lines of a store-day that was held for many prices too far and released are right.

WITH compared AS MATERIALIZED (
    SELECT offer.file_id, coalesce(split_part(offer.category, ' > ', 1), '') AS category,
           count(*) FILTER (WHERE is_within)::integer AS within_compared, count(*) FILTER (WHERE is_within AND now.cents <> known.cents)::integer AS within_changed,
           count(*) FILTER (WHERE is_across)::integer AS across_compared, count(*) FILTER (WHERE is_across AND now.cents <> known.cents)::integer AS across_changed,
           coalesce(sum(ratio.log) FILTER (WHERE is_within OR is_across), 0) AS log_sum,
           coalesce(sum(ratio.log * ratio.log) FILTER (WHERE is_within OR is_across), 0) AS log_squares,
           count(*) FILTER (WHERE sister.cents IS NOT NULL AND NOT is_far)::integer AS sisters_compared,
           coalesce(sum(ratio.log) FILTER (WHERE sister.cents IS NOT NULL AND NOT is_far), 0) AS sisters_log_sum,
           count(*) FILTER (WHERE price.is_listed IS NOT TRUE)::integer AS new, count(known.cents)::integer AS known, count(*) FILTER (WHERE is_off)::integer AS off,
           array_agg(offer.line_number) FILTER (WHERE is_far OR offer.known_cents IS NOT NULL) AS lines,
           array_agg(CASE WHEN is_far THEN known.cents END) FILTER (WHERE is_far OR offer.known_cents IS NOT NULL) AS known_cents
      FROM staging.offer AS offer
      JOIN ops.staged_file AS file ON file.file_id = offer.file_id AND file.file_id = ANY (%(file_ids)s)
      JOIN unnest(%(file_ids)s::bigint[], %(week_starts)s::timestamptz[]) AS week (file_id, starts_at) ON week.file_id = offer.file_id
      LEFT JOIN core.store AS store ON store.retailer = file.retailer AND store.store_id = file.store_id
      LEFT JOIN core.sku AS sku ON sku.retailer = %(retailer)s AND sku.sku = offer.sku
      LEFT JOIN core.price AS price ON price.store_key = store.store_key AND price.sku_key = sku.sku_key AND price.retracted_at IS NULL
            AND price.store_key = ANY (ARRAY(SELECT s.store_key FROM core.store AS s JOIN ops.staged_file AS f USING (retailer, store_id) WHERE f.file_id = ANY (%(file_ids)s)))
      LEFT JOIN (SELECT other.sku_key, other.price_basis, percentile_disc(0.5) WITHIN GROUP (ORDER BY other.price_cents) AS cents
                   FROM core.price AS other
                  WHERE other.store_key = ANY (ARRAY(SELECT s.store_key FROM core.store AS s WHERE s.retailer = %(retailer)s AND s.complete_at IS NOT NULL
                                                      ORDER BY s.complete_at DESC, s.store_key LIMIT %(sisters)s))
                    AND other.is_listed AND other.retracted_at IS NULL
                  GROUP BY other.sku_key, other.price_basis) AS sister ON sister.sku_key = sku.sku_key AND sister.price_basis = offer.price_basis AND price.sku_key IS NULL
      LEFT JOIN (SELECT result.file_id FROM ops.data_quality_result AS result
                  WHERE result.file_id = ANY (%(file_ids)s) AND result.rule_id = 'price_scale' AND NOT result.is_passed) AS held ON held.file_id = file.file_id
     CROSS JOIN LATERAL (SELECT (offer.price * 100)::bigint AS cents) AS now
     CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN price.price_basis = offer.price_basis THEN price.price_cents END, sister.cents) AS cents,
                                CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, store.complete_at) ELSE price.observed_at END AS at) AS known
     CROSS JOIN LATERAL (SELECT NOT (file.decided_by IS NOT NULL AND held.file_id IS NOT NULL)
                                AND coalesce(now.cents > %(factor_max)s * known.cents OR known.cents > %(factor_max)s * now.cents, false) AS is_far,
                                coalesce(now.cents > least(%(factor_max)s, 99) * known.cents OR known.cents > least(%(factor_max)s, 99) * now.cents, false) AS is_off) AS distance
     CROSS JOIN LATERAL (SELECT CASE WHEN now.cents <> known.cents THEN ln(now.cents::double precision / known.cents) ELSE 0 END AS log) AS ratio
     CROSS JOIN LATERAL (SELECT NOT is_far AND known.at >= week.starts_at AND known.at < file.observed_at AS is_within,
                                NOT is_far AND known.at < week.starts_at AND known.at < file.observed_at AND known.at >= file.observed_at - make_interval(days => %(known_days)s) AS is_across) AS period
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.price >= 0.01 AND offer.price < 1000000 AND NOT offer.is_folded AND offer.defects IS NULL
     GROUP BY 1, 2
), marked AS (
    UPDATE staging.offer AS offer
       SET known_cents = line.known_cents
      FROM compared
     CROSS JOIN LATERAL unnest(compared.lines, compared.known_cents) AS line (number, known_cents)
     WHERE offer.file_id = ANY (%(file_ids)s) AND offer.file_id = compared.file_id AND offer.line_number = line.number
       AND offer.known_cents IS DISTINCT FROM line.known_cents
)
SELECT file_id, category, within_compared, within_changed, across_compared, across_changed, log_sum, log_squares, sisters_compared, sisters_log_sum, new, known, off
  FROM compared

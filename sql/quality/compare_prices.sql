-- Compare the prices of loaded store-days with the known ones: counts of compared and changed prices, and of changes by a factor of 100.
--
-- Called by   include/ingestion/checks/measuring.py, after lines are marked
-- Parameters  retailer text; file_ids, before_ids bigint[] (parallel: a store-day, and the one before it in the same batch or null)
-- Reads       staging.offer, ops.staged_file, core.store, core.sku, core.price; one row per store-day and instant of the known price
-- Run again   same result while the prices are the same
--
-- The known price is the published one, else that of the preceding store-day in the same batch, which may hold several nights.

SELECT file.file_id, coalesce(price_at.at, before.observed_at) AS known_at, count(*)::integer AS compared,
       (count(*) FILTER (WHERE now.cents <> known.cents))::integer AS changed,
       (count(*) FILTER (WHERE now.cents <> known.cents
                           AND (now.cents BETWEEN 99 * known.cents AND 101 * known.cents OR known.cents BETWEEN 99 * now.cents AND 101 * now.cents)))::integer AS scaled
  FROM staging.offer AS offer
  JOIN ops.staged_file AS file ON file.file_id = offer.file_id AND file.file_id = ANY (%(file_ids)s)
  LEFT JOIN core.store AS store ON store.retailer = file.retailer AND store.store_id = file.store_id
  LEFT JOIN core.sku AS sku ON sku.retailer = %(retailer)s AND sku.sku = offer.sku
  LEFT JOIN core.price AS price ON price.store_key = store.store_key AND price.sku_key = sku.sku_key
        AND price.store_key = ANY (ARRAY(SELECT s.store_key FROM core.store AS s JOIN ops.staged_file AS f USING (retailer, store_id) WHERE f.file_id = ANY (%(file_ids)s)))
  LEFT JOIN unnest(%(file_ids)s::bigint[], %(before_ids)s::bigint[]) AS pair (file_id, before_id) ON pair.file_id = offer.file_id AND pair.before_id IS NOT NULL
  LEFT JOIN ops.staged_file AS before ON before.file_id = pair.before_id AND before.file_id = ANY (%(before_ids)s)
  LEFT JOIN staging.offer AS earlier ON earlier.file_id = ANY (%(before_ids)s) AND earlier.file_id = pair.before_id
        AND earlier.sku = offer.sku AND earlier.reasons IS NULL AND NOT earlier.is_folded
 CROSS JOIN LATERAL (SELECT CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, store.complete_at) ELSE price.observed_at END AS at) AS price_at
 CROSS JOIN LATERAL (SELECT (offer.price * 100)::bigint AS cents) AS now
 CROSS JOIN LATERAL (SELECT coalesce(price.price_cents, (earlier.price * 100)::bigint) AS cents) AS known
 WHERE offer.file_id = ANY (%(file_ids)s) AND offer.price > 0 AND NOT offer.is_folded AND offer.reasons IS NULL AND known.cents > 0
 GROUP BY 1, 2

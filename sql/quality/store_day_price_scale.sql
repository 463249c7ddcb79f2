-- Store-day rule price_scale: known prices that moved by a factor of 100, up or down.
--
-- Called by   include/quality/gate.py
-- Parameters  file_ids bigint[]; scale_share double precision
-- Reads       staging.offer, ops.staged_file, core.store, core.sku, core.price; at least 20 known prices are needed for a verdict
-- Run again   same answer while the prices are the same
--
-- A price is known from what is published, else from the store-day before in the same batch: two nights may come at once.

SELECT offer.file_id, count(*)::integer AS checked,
       CASE WHEN count(*) >= 20 AND count(*) FILTER (WHERE jumped.is_so) > %(scale_share)s * count(*) THEN count(*) FILTER (WHERE jumped.is_so)::integer ELSE 0 END AS failed,
       format('%%s of %%s known prices moved by a factor of 100', count(*) FILTER (WHERE jumped.is_so), count(*)) AS detail
  FROM staging.offer AS offer
  JOIN ops.staged_file AS file USING (file_id)
  LEFT JOIN LATERAL (SELECT f.file_id
                       FROM ops.staged_file AS f
                      WHERE f.retailer = file.retailer AND f.store_id = file.store_id AND f.state = 'loaded'
                        AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                      ORDER BY f.observed_at DESC, f.file_id DESC
                      LIMIT 1) AS before ON true
  LEFT JOIN staging.offer AS earlier ON earlier.file_id = before.file_id AND earlier.sku = offer.sku
        AND earlier.reasons IS NULL AND NOT earlier.is_folded AND earlier.price > 0
  LEFT JOIN core.store AS store ON store.retailer = file.retailer AND store.store_id = file.store_id
  LEFT JOIN core.sku AS sku ON sku.retailer = file.retailer AND sku.sku = offer.sku
  LEFT JOIN core.price AS price ON price.store_key = store.store_key AND price.sku_key = sku.sku_key
 CROSS JOIN LATERAL (SELECT coalesce(price.price_cents, earlier.price * 100) AS cents) AS known
 CROSS JOIN LATERAL (SELECT offer.price * 100 / known.cents BETWEEN 99 AND 101 OR offer.price * 100 / known.cents BETWEEN 0.0099 AND 0.0101 AS is_so) AS jumped
 WHERE offer.file_id = ANY (%(file_ids)s) AND offer.price IS NOT NULL AND NOT offer.is_folded AND known.cents IS NOT NULL
 GROUP BY offer.file_id

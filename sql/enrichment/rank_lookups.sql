-- Rank the queue of a retailer before a run: which store is asked for each SKU that is due, and in which order.
--
-- Called by   include/enrichment/lookup_queue.py
-- Parameters  retailer text; now timestamptz
-- Reads       core.sku, core.price, core.store, ops.staged_file, ops.proposal
-- Writes      ops.barcode_lookup   sku_key, store_key, priority of the SKUs that are due
-- Run again   nothing written
--
-- Asked is the store with the widest range of those that list the SKU, so that batches are full; not the one that did not know it the last time. Each store
-- counts 1, twice if another retailer's product waits for the barcode (the same product by key, or an open proposal); so does each day in the queue.

WITH due AS MATERIALIZED (
    SELECT queued.sku, known.sku_key, known.product_id, CASE WHEN queued.result = 'unknown_id' THEN queued.asked_store_id END AS not_in,
           (extract(epoch FROM %(now)s - queued.queued_at) / 86400)::integer AS days
      FROM ops.barcode_lookup AS queued
      JOIN core.sku AS known ON known.retailer = %(retailer)s AND known.sku = queued.sku
     WHERE queued.retailer = %(retailer)s AND queued.retry_at <= %(now)s
), store AS MATERIALIZED (
    SELECT store.store_key, store.store_id, row_number() OVER (ORDER BY (SELECT file.goods FROM ops.staged_file AS file WHERE file.file_id = store.complete_file_id) DESC NULLS LAST, store_key) AS position
      FROM core.store AS store
     WHERE store.retailer = %(retailer)s AND store.closed_at IS NULL
), sold AS (
    SELECT price.sku_key, count(*) AS stores, min(store.position) AS position, min(store.position) FILTER (WHERE store.store_id IS DISTINCT FROM due.not_in) AS other_position
      FROM core.price AS price
      JOIN store USING (store_key)
      JOIN due USING (sku_key)
     WHERE price.sku_key = ANY (ARRAY(SELECT sku_key FROM due)) AND price.is_listed
     GROUP BY price.sku_key
), proposed AS MATERIALIZED (
    SELECT left_product_id, right_product_id FROM ops.proposal WHERE state = 'waiting'
), waiting AS MATERIALIZED (
    SELECT product_id FROM core.sku WHERE product_id = ANY (ARRAY(SELECT product_id FROM due)) AND retailer <> %(retailer)s
     UNION
    SELECT left_product_id FROM proposed
     UNION
    SELECT right_product_id FROM proposed
), ranked AS (
    SELECT due.sku, due.sku_key, store.store_key,
           due.days + coalesce(sold.stores, 0) * CASE WHEN waiting.product_id IS NULL THEN 1 ELSE 2 END AS priority
      FROM due
      LEFT JOIN sold USING (sku_key)
      LEFT JOIN waiting USING (product_id)
      LEFT JOIN store ON store.position = coalesce(sold.other_position, sold.position)
)
UPDATE ops.barcode_lookup AS queued
   SET sku_key = ranked.sku_key, store_key = ranked.store_key, priority = ranked.priority
  FROM ranked
 WHERE queued.retailer = %(retailer)s AND queued.sku = ranked.sku
   AND (queued.sku_key, queued.store_key, queued.priority) IS DISTINCT FROM (ranked.sku_key, ranked.store_key, ranked.priority::integer)

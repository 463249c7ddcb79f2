-- Claim the next batch of look-ups for one store: the first of the queue, and with it others that this store lists too.
--
-- Called by   include/enrichment/lookup_queue.py
-- Parameters  retailer, claim text: of this batch; now timestamptz; claimed_at, abandoned_before timestamptz: by the machine's clock; batch integer
-- Reads       core.price, core.store, core.sku, ops.barcode_lookup
-- Writes      ops.barcode_lookup   SKUs claimed by another worker are skipped, unless the claim is abandoned
-- Run again   same rows: a batch that is claimed is returned again

WITH open AS MATERIALIZED (
    SELECT sku, sku_key, store_key, priority, claim IS NOT DISTINCT FROM %(claim)s AS is_mine
      FROM ops.barcode_lookup
     WHERE retailer = %(retailer)s AND retry_at <= %(now)s AND store_key IS NOT NULL
       AND (claim IS NULL OR claim = %(claim)s OR claimed_at < %(abandoned_before)s)
), first AS MATERIALIZED (
    SELECT store_key FROM open ORDER BY is_mine DESC, priority DESC, sku LIMIT 1
), fitting AS MATERIALIZED (
    SELECT open.sku
      FROM open
     WHERE open.store_key = (SELECT store_key FROM first)
        OR open.sku_key IN (SELECT price.sku_key FROM core.price AS price WHERE price.store_key = ANY (ARRAY(SELECT store_key FROM first)) AND price.is_listed)
     ORDER BY open.is_mine DESC, open.priority DESC, open.sku
     LIMIT 10 * %(batch)s
), chosen AS (
    SELECT queued.sku
      FROM ops.barcode_lookup AS queued
     WHERE queued.retailer = %(retailer)s AND queued.sku = ANY (ARRAY(SELECT sku FROM fitting)) AND queued.retry_at <= %(now)s
       AND (queued.claim IS NULL OR queued.claim = %(claim)s OR queued.claimed_at < %(abandoned_before)s)
     ORDER BY queued.claim IS NOT DISTINCT FROM %(claim)s DESC, queued.priority DESC, queued.sku
     LIMIT %(batch)s
       FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE ops.barcode_lookup AS queued
       SET claim = %(claim)s, claimed_at = %(claimed_at)s
      FROM chosen
     WHERE queued.retailer = %(retailer)s AND queued.sku = chosen.sku
    RETURNING queued.sku, queued.sku_key, queued.priority
)
SELECT claimed.sku, known.name, known.brand, known.size, store.store_id, store.name AS store_name, store.state, store.online_store_id
  FROM claimed
  JOIN (SELECT sku_key, name, brand, size FROM core.sku WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM claimed))) AS known USING (sku_key)
  LEFT JOIN core.store AS store ON store.store_key = (SELECT store_key FROM first)
 ORDER BY claimed.priority DESC, claimed.sku

-- Find what store-days with many new SKUs no longer list, and propose the pairs of a vanished and a new SKU with the same name, size and price.
--
-- Called by   include/ingestion/checks/measuring.py, for the complete store-days with many new SKUs
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer, ops.staged_file, core.store, core.sku, core.price
-- Writes      ops.renumbered_sku   one row per pair
-- Run again   nothing written while the prices are the same; returns one row per store-day

WITH listed AS MATERIALIZED (
    SELECT file.file_id, sku.sku, lower(sku.name) AS name, sku.size, price.price_cents
      FROM ops.staged_file AS file
      JOIN core.store AS store ON store.retailer = file.retailer AND store.store_id = file.store_id
      JOIN core.price AS price ON price.store_key = store.store_key
           AND price.store_key = ANY (ARRAY(SELECT s.store_key FROM core.store AS s JOIN ops.staged_file AS f USING (retailer, store_id) WHERE f.file_id = ANY (%(file_ids)s)))
      JOIN core.sku AS sku ON sku.sku_key = price.sku_key AND sku.retailer = %(retailer)s
     WHERE file.file_id = ANY (%(file_ids)s) AND price.is_listed AND price.retracted_at IS NULL
), line AS MATERIALIZED (
    SELECT file_id, sku, lower(name) AS name, size, (price * 100)::bigint AS price_cents
      FROM staging.offer
     WHERE file_id = ANY (%(file_ids)s) AND sku IS NOT NULL AND NOT is_folded
), vanished AS MATERIALIZED (
    SELECT listed.* FROM listed LEFT JOIN line ON line.file_id = listed.file_id AND line.sku = listed.sku WHERE line.sku IS NULL
), new AS MATERIALIZED (
    SELECT line.* FROM line LEFT JOIN listed ON listed.file_id = line.file_id AND listed.sku = line.sku WHERE listed.sku IS NULL
), pair AS (
    SELECT vanished.file_id, vanished.sku AS old_sku, min(new.sku) AS new_sku
      FROM vanished
      JOIN new ON new.file_id = vanished.file_id AND new.name = vanished.name AND new.size IS NOT DISTINCT FROM vanished.size AND new.price_cents = vanished.price_cents
     GROUP BY vanished.file_id, vanished.sku
    HAVING count(*) = 1
), proposed AS (
    INSERT INTO ops.renumbered_sku AS known (file_id, old_sku, new_sku)
    SELECT file_id, old_sku, new_sku FROM pair ORDER BY file_id, old_sku
        ON CONFLICT (file_id, old_sku) DO UPDATE SET new_sku = excluded.new_sku WHERE known.new_sku <> excluded.new_sku
)
SELECT counted.file_id, counted.listed, coalesce(missing.gone, 0)::integer AS gone, coalesce(paired.pairs, 0)::integer AS pairs, paired.examples
  FROM (SELECT file_id, count(*)::integer AS listed FROM listed GROUP BY file_id) AS counted
  LEFT JOIN (SELECT file_id, count(*) AS gone FROM vanished GROUP BY file_id) AS missing USING (file_id)
  LEFT JOIN (SELECT file_id, count(*) AS pairs, (array_agg(old_sku || ' → ' || new_sku ORDER BY old_sku))[1:3] AS examples FROM pair GROUP BY file_id) AS paired USING (file_id)

-- List what was collected, beside what is known of the same SKUs.
--
-- Called by   include/catalogue/resolve.py
-- Reads       sighting, core.sku, core.sku_identity, core.sku_barcode, core.price, core.store
-- Run again   same result
--
-- The newest text counts from texts_at, or from the last instant at which a store showed the SKU: every line since then agreed with it.

WITH known AS MATERIALIZED (
    SELECT sku_key FROM sighting WHERE is_known GROUP BY sku_key
), seen AS MATERIALIZED (
    SELECT price.sku_key, max(CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, store.complete_at) ELSE price.observed_at END) AS at
      FROM core.price AS price
      JOIN core.store AS store USING (store_key)
     WHERE price.sku_key = ANY (ARRAY(SELECT sku_key FROM known)) AND price.retracted_at IS NULL
     GROUP BY price.sku_key
), claimed AS MATERIALIZED (
    SELECT sku_key, array_agg(gtin ORDER BY gtin) AS gtins, array_agg(together ORDER BY gtin) AS togethers, array_agg(first_seen_at ORDER BY gtin) AS first_seen,
           array_agg(source ORDER BY gtin) AS sources, array_agg(file_id ORDER BY gtin) AS files
      FROM core.sku_barcode
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM known))
     GROUP BY sku_key
)
SELECT sighting.sku_key, sighting.name, sighting.brand, sighting.size, sighting.gtins, sighting.first_at, sighting.last_at, sighting.source, sighting.file_id, sighting.is_known,
       sighting.piece_count, sighting.piece_count_at, identity.piece_count AS known_piece_count, identity.piece_count_at AS known_piece_count_at,
       identity.name AS first_name, identity.brand AS first_brand, identity.size AS first_size, identity.observed_at, sku.name AS newest_name, sku.brand AS newest_brand,
       sku.size AS newest_size, greatest(sku.texts_at, seen.at) AS newest_at, sku.former_until_at, claimed.gtins AS claimed_gtins, claimed.togethers, claimed.first_seen,
       claimed.sources, claimed.files
  FROM sighting
  LEFT JOIN core.sku AS sku ON sku.sku_key = sighting.sku_key AND sku.sku_key = ANY (ARRAY(SELECT sku_key FROM known))
  LEFT JOIN core.sku_identity AS identity ON identity.sku_key = sighting.sku_key AND identity.sku_key = ANY (ARRAY(SELECT sku_key FROM known))
  LEFT JOIN seen ON seen.sku_key = sighting.sku_key
  LEFT JOIN claimed ON claimed.sku_key = sighting.sku_key
 ORDER BY sighting.sku_key

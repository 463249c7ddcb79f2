-- List the SKUs of some retailers with the text that decides their product, their accepted barcodes, and the pieces that a price fixes.
--
-- Called by   include/catalogue/matching/warehouse.py
-- Parameters  retailers text[]; since timestamptz, seen_sku_key integer: SKUs changed later are marked (since null: all), and those with a greater key (null: none)
-- Reads       core.sku, core.sku_identity, core.sku_barcode, core.product_barcode
-- Returns     piece_count: pieces in a pack; counts where the text has no size
-- Run again   same result until a SKU or a barcode becomes known

WITH accepted AS MATERIALIZED (
    SELECT sku_key, array_agg(gtin ORDER BY gtin) AS gtins FROM core.sku_barcode WHERE refused_because IS NULL GROUP BY sku_key
), owned AS MATERIALIZED (
    SELECT product_id, array_agg(gtin ORDER BY gtin) AS gtins FROM core.product_barcode GROUP BY product_id
)
SELECT sku.sku_key, sku.retailer, sku.sku, sku.product_id, sku.joined_by, identity.name, identity.brand, identity.size, identity.observed_at,
       coalesce(accepted.gtins, '{}') AS gtins, coalesce(owned.gtins, '{}') AS product_gtins, identity.piece_count,
       coalesce(sku.sku_changed_at > %(since)s::timestamptz, true) OR coalesce(sku.sku_key > %(seen_sku_key)s::integer, false) AS is_changed
  FROM core.sku AS sku
  JOIN core.sku_identity AS identity USING (sku_key)
  LEFT JOIN accepted USING (sku_key)
  LEFT JOIN owned USING (product_id)
 WHERE sku.retailer = ANY (%(retailers)s)
 ORDER BY sku.retailer, identity.observed_at, sku.sku

-- List the SKUs of some retailers with the text that decides their product, their accepted barcodes, and a price per piece where the text has no size.
--
-- Called by   include/catalogue/matching/warehouse.py
-- Parameters  retailers text[]; since timestamptz, seen_sku_key integer: SKUs changed later are marked (since null: all), and those with a greater key (null: none)
-- Reads       core.sku, core.sku_identity, core.sku_barcode, core.product_barcode, core.price
-- Returns     price_cents, piece_price: the newest price and price of one piece (dollars); null where the size is known, or they are equal
-- Run again   same result until a SKU, a barcode or a price becomes known

WITH counted AS MATERIALIZED (
    SELECT DISTINCT ON (sku_key) sku_key, price_cents, unit_price AS piece_price
      FROM core.price
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM core.sku_identity WHERE size_unit IS NULL))
       AND unit_of_measure = 'each' AND price_basis = 'each' AND unit_price > 0 AND unit_price * 100 < price_cents AND retracted_at IS NULL
     ORDER BY sku_key, observed_at DESC, store_key
), accepted AS MATERIALIZED (
    SELECT sku_key, array_agg(gtin ORDER BY gtin) AS gtins FROM core.sku_barcode WHERE refused_because IS NULL GROUP BY sku_key
), owned AS MATERIALIZED (
    SELECT product_id, array_agg(gtin ORDER BY gtin) AS gtins FROM core.product_barcode GROUP BY product_id
)
SELECT sku.sku_key, sku.retailer, sku.sku, sku.product_id, sku.joined_by, identity.name, identity.brand, identity.size, identity.observed_at,
       coalesce(accepted.gtins, '{}') AS gtins, coalesce(owned.gtins, '{}') AS product_gtins, counted.price_cents, counted.piece_price,
       coalesce(sku.sku_changed_at > %(since)s::timestamptz, true) OR coalesce(sku.sku_key > %(seen_sku_key)s::integer, false) AS is_changed
  FROM core.sku AS sku
  JOIN core.sku_identity AS identity USING (sku_key)
  LEFT JOIN accepted USING (sku_key)
  LEFT JOIN owned USING (product_id)
  LEFT JOIN counted USING (sku_key)
 WHERE sku.retailer = ANY (%(retailers)s)
 ORDER BY sku.retailer, identity.observed_at, sku.sku

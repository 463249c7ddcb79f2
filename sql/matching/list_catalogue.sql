-- List the SKUs of some retailers with the text that decides their product and their accepted barcodes.
--
-- Called by   include/catalogue/matching/inspecting.py
-- Parameters  retailers text[]
-- Reads       core.sku, core.sku_identity, core.sku_barcode
-- Run again   same result until a SKU or a barcode becomes known

SELECT sku.retailer, sku.sku, sku.product_id, sku.joined_by, identity.name, identity.brand, identity.size, coalesce(accepted.gtins, '{}') AS gtins
  FROM core.sku AS sku
  JOIN core.sku_identity AS identity USING (sku_key)
  LEFT JOIN (SELECT sku_key, array_agg(gtin ORDER BY gtin) AS gtins FROM core.sku_barcode WHERE refused_because IS NULL GROUP BY sku_key) AS accepted USING (sku_key)
 WHERE sku.retailer = ANY (%(retailers)s)
 ORDER BY sku.retailer, sku.sku

-- Summarise barcodes per store: listed SKUs, and those whose own barcode is accepted.
--
-- Called by   include/diagnostics/barcodes.py
-- Parameters  retailer text (null = all)
-- Reads       core.price, core.store, core.sku_barcode
-- Run again   same result

SELECT store.retailer, store.store_id, store.name, found.skus, found.with_barcode, round(found.with_barcode::numeric / found.skus, 4)::float AS share
  FROM (SELECT price.store_key, count(*)::integer AS skus, count(own.sku_key)::integer AS with_barcode
          FROM core.price AS price
          LEFT JOIN (SELECT DISTINCT sku_key FROM core.sku_barcode WHERE refused_because IS NULL) AS own USING (sku_key)
         WHERE price.is_listed
         GROUP BY price.store_key) AS found
  JOIN core.store AS store USING (store_key)
 WHERE %(retailer)s::text IS NULL OR store.retailer = %(retailer)s
 ORDER BY found.with_barcode::numeric / found.skus, store.retailer, store.store_id

-- Summarise barcodes per retailer and top category: SKUs, and those whose own barcode is accepted.
--
-- Called by   include/diagnostics/barcodes.py
-- Parameters  retailer text (null = all)
-- Reads       core.sku, core.sku_barcode
-- Run again   same result

SELECT sku.retailer, coalesce(split_part(sku.category, ' > ', 1), '') AS category, count(*)::integer AS skus, count(own.sku_key)::integer AS with_barcode,
       round(count(own.sku_key)::numeric / count(*), 4)::float AS share
  FROM core.sku AS sku
  LEFT JOIN (SELECT DISTINCT sku_key FROM core.sku_barcode WHERE refused_because IS NULL) AS own USING (sku_key)
 WHERE %(retailer)s::text IS NULL OR sku.retailer = %(retailer)s
 GROUP BY 1, 2
 ORDER BY 1, count(*) - count(own.sku_key) DESC, 2

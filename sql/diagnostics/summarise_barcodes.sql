-- Summarise barcodes per retailer: SKUs, those whose own barcode is accepted, whose product has one, and contested ones.
--
-- Called by   include/diagnostics/barcodes.py
-- Parameters  retailer text (null = all)
-- Reads       core.sku, core.sku_barcode, core.product_barcode, ops.barcode_conflict
-- Run again   same result

SELECT sku.retailer, count(*)::integer AS skus, count(own.sku_key)::integer AS with_barcode, count(product.product_id)::integer AS product_with_barcode,
       round(count(own.sku_key)::numeric / count(*), 4)::float AS share, coalesce(max(conflict.conflicts), 0)::integer AS conflicts,
       coalesce(max(conflict.open), 0)::integer AS open_conflicts
  FROM core.sku AS sku
  LEFT JOIN (SELECT DISTINCT sku_key FROM core.sku_barcode WHERE refused_because IS NULL) AS own USING (sku_key)
  LEFT JOIN (SELECT DISTINCT product_id FROM core.product_barcode) AS product USING (product_id)
  LEFT JOIN (SELECT retailer, count(*) AS conflicts, count(*) FILTER (WHERE is_open) AS open FROM ops.barcode_conflict GROUP BY retailer) AS conflict USING (retailer)
 WHERE %(retailer)s::text IS NULL OR sku.retailer = %(retailer)s
 GROUP BY sku.retailer
 ORDER BY sku.retailer

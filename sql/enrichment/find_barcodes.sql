-- Find the known barcodes of some SKUs.
--
-- Called by   include/enrichment/prefill.py
-- Parameters  retailer text
-- Reads       sku_without_barcode   temporary; one row per SKU without a barcode
--             core.sku, core.product_barcode
-- Run again   same result while the catalogue is the same; a SKU's own barcode comes before its product's primary one

SELECT sku_without_barcode.sku, coalesce(known.gtin, barcode.gtin) AS gtin
  FROM sku_without_barcode
  JOIN core.sku AS known ON known.retailer = %(retailer)s AND known.sku = sku_without_barcode.sku
  LEFT JOIN core.product_barcode AS barcode ON barcode.product_id = known.product_id AND barcode.is_primary
 WHERE coalesce(known.gtin, barcode.gtin) IS NOT NULL

-- Find the barcodes the warehouse knows for a set of SKUs.
--
-- Called by   include/enrichment/prefill.py
-- Parameters  retailer text
-- Reads       wanted   temporary; one row per SKU without a barcode
--             core.sku, core.product_barcode
-- Run again   same answer while the catalogue is the same; a SKU's own barcode comes before its product's primary one

SELECT wanted.sku, coalesce(known.gtin, barcode.gtin) AS gtin
  FROM wanted
  JOIN core.sku AS known ON known.retailer = %(retailer)s AND known.sku = wanted.sku
  LEFT JOIN core.product_barcode AS barcode ON barcode.product_id = known.product_id AND barcode.is_primary
 WHERE coalesce(known.gtin, barcode.gtin) IS NOT NULL

-- Find the barcodes that the retailer itself has shown for some SKUs and that identify their products, with the texts they belong to.
--
-- Called by   include/enrichment/prefill.py
-- Parameters  retailer text
-- Reads       sku_without_barcode   temporary; one row per SKU without a barcode
--             core.sku, core.sku_barcode
-- Run again   same result while the catalogue is the same; of several barcodes the newest line's, then the first seen

SELECT DISTINCT ON (known.sku) known.sku, claim.gtin, known.name, known.brand, known.size
  FROM sku_without_barcode
  JOIN core.sku AS known ON known.retailer = %(retailer)s AND known.sku = sku_without_barcode.sku
  JOIN core.sku_barcode AS claim ON claim.sku_key = known.sku_key AND claim.refused_because IS NULL
 ORDER BY known.sku, claim.gtin IS NOT DISTINCT FROM known.gtin DESC, claim.first_seen_at, claim.gtin

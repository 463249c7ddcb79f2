-- Find the product that has a barcode.
--
-- Called by   include/diagnostics/inspect_catalogue.py
-- Parameters  gtin text
-- Reads       core.product_barcode, core.product
-- Run again   same result

SELECT barcode.gtin, barcode.product_id, product.name AS product_name, barcode.is_primary, barcode.first_seen_at
  FROM core.product_barcode AS barcode
  JOIN core.product AS product USING (product_id)
 WHERE barcode.gtin = %(gtin)s

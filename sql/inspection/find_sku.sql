-- Find a SKU, its product and what joined it there.
--
-- Called by   include/diagnostics/inspect_catalogue.py
-- Parameters  retailer, sku text
-- Reads       core.sku, core.product, core.product_barcode
-- Run again   same result

SELECT known.sku_key, known.retailer, known.sku, known.name, known.brand, known.size, known.category, known.url, known.product_id, product.name AS product_name,
       (SELECT gtin FROM core.product_barcode WHERE product_id = known.product_id AND is_primary) AS barcode,
       known.joined_by, known.match_evidence, known.joined_at, known.texts_at, known.former_until_at
  FROM core.sku AS known
  JOIN core.product AS product USING (product_id)
 WHERE known.retailer = %(retailer)s AND known.sku = %(sku)s

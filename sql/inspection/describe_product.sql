-- Describe one product.
--
-- Called by   include/diagnostics/inspect_product.py
-- Parameters  product_id bigint
-- Reads       core.product, core.brand
-- Run again   same result while the catalogue is the same

SELECT product.product_id, product.name, (SELECT brand.name FROM core.brand AS brand WHERE brand.brand_id = product.brand_id) AS brand, product.size, product.size_quantity, product.size_unit,
       product.own_label_of, product.created_at
  FROM core.product AS product
 WHERE product.product_id = %(product_id)s

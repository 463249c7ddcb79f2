-- Fill in the pictures of products without one. A picture is never replaced.
--
-- Called by   include/catalogue/resolve.py, after SKUs were added or refreshed
-- Parameters  retailer text
-- Reads       core.sku
-- Writes      core.product
-- Run again   nothing written

UPDATE core.product AS product
   SET image_url = pictured.image_url
  FROM (SELECT DISTINCT ON (product_id) product_id, image_url
          FROM core.sku
         WHERE retailer = %(retailer)s AND image_url IS NOT NULL
         ORDER BY product_id, sku) AS pictured
 WHERE pictured.product_id = product.product_id AND product.image_url IS NULL

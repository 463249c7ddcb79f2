-- The bargains of an area, the largest saving first.
--
-- Called by   include/bargains/reading.py
-- Parameters  area text; retailer text: whose store is the cheapest, null = any; top integer: how many, null = all
-- Reads       core.bargain, core.product, core.brand
-- Run again   same result until the next publication

SELECT bargain.*, product.name, brand.name AS brand, product.size, product.image_url
  FROM core.bargain AS bargain
  JOIN core.product AS product USING (product_id)
  LEFT JOIN core.brand AS brand ON brand.brand_id = product.brand_id
 WHERE bargain.area = %(area)s AND (%(retailer)s::text IS NULL OR bargain.cheapest_retailer = %(retailer)s)
 ORDER BY bargain.saving_share DESC, bargain.product_id
 LIMIT %(top)s

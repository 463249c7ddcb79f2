-- Fill empty columns of products (brand, size, picture) from newly joined SKUs. A value is never overwritten.
--
-- Called by   include/catalogue/resolve.py
-- Reads       pending, core.brand
-- Writes      core.product
-- Run again   nothing written

UPDATE core.product AS product
   SET brand_id = coalesce(product.brand_id, brand.brand_id),
       size = coalesce(product.size, new.size),
       size_quantity = CASE WHEN product.size IS NULL THEN new.size_quantity ELSE product.size_quantity END,
       size_unit = CASE WHEN product.size IS NULL THEN new.size_unit ELSE product.size_unit END,
       image_url = coalesce(product.image_url, new.image_url)
  FROM (SELECT product_id, (array_agg(folded_brand ORDER BY n) FILTER (WHERE folded_brand <> ''))[1] AS folded_brand,
               (array_agg(size ORDER BY n) FILTER (WHERE size IS NOT NULL))[1] AS size,
               (array_agg(size_quantity ORDER BY n) FILTER (WHERE size IS NOT NULL))[1] AS size_quantity,
               (array_agg(size_unit ORDER BY n) FILTER (WHERE size IS NOT NULL))[1] AS size_unit,
               (array_agg(image_url ORDER BY n) FILTER (WHERE image_url IS NOT NULL))[1] AS image_url
          FROM pending
         WHERE joined_by <> 'new'
         GROUP BY product_id) AS new
  LEFT JOIN core.brand AS brand ON brand.folded = new.folded_brand
 WHERE product.product_id = new.product_id
   AND ((product.brand_id IS NULL AND brand.brand_id IS NOT NULL) OR (product.size IS NULL AND new.size IS NOT NULL)
        OR (product.image_url IS NULL AND new.image_url IS NOT NULL))

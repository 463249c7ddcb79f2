-- Collect known SKUs that have a brand, size or picture their product lacks, to fill its empty columns.
--
-- Called by   include/catalogue/resolve.py, after texts of known SKUs were refreshed
-- Parameters  retailer text
-- Reads       core.sku, core.product
-- Writes      pending   joined_by 'known'; numbered after those collected before
-- Run again   nothing written

INSERT INTO pending (n, retailer, sku, name, brand, size, image_url, normalised_text, product_id, joined_by)
SELECT (SELECT coalesce(max(n), 0) FROM pending) + row_number() OVER (ORDER BY sku.sku), sku.retailer, sku.sku, sku.name, sku.brand, sku.size, sku.image_url,
       lower(concat_ws('|', sku.name, coalesce(sku.brand, ''), coalesce(sku.size, ''))), sku.product_id, 'known'
  FROM core.sku AS sku
  JOIN core.product AS product USING (product_id)
 WHERE sku.retailer = %(retailer)s
   AND (product.brand_id IS NULL AND sku.brand IS NOT NULL OR product.size IS NULL AND sku.size IS NOT NULL
        OR product.image_url IS NULL AND sku.image_url IS NOT NULL)
   AND NOT EXISTS (SELECT FROM pending AS collected WHERE collected.sku = sku.sku AND collected.joined_by = 'known')

-- Give products the canonical brand of their first SKU that has a brand.
--
-- Called by   include/catalogue/brands.py, after the canonical brands have changed
-- Reads       core.sku, core.sku_identity, core.brand
-- Writes      core.product   brand_id
-- Run again   nothing written

WITH first AS (
    SELECT DISTINCT ON (sku.product_id) sku.product_id, coalesce(brand.canonical_id, brand.brand_id) AS brand_id
      FROM core.sku AS sku
      JOIN core.sku_identity AS identity USING (sku_key)
      JOIN core.brand AS brand ON brand.brand_id = identity.brand_id
     ORDER BY sku.product_id, identity.observed_at, sku.retailer, sku.sku
)
UPDATE core.product AS product
   SET brand_id = first.brand_id
  FROM first
 WHERE product.product_id = first.product_id AND product.brand_id IS DISTINCT FROM first.brand_id

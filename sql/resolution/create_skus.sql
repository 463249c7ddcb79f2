-- Insert the SKUs that have their product, in order of SKU.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  now timestamptz
-- Reads       pending
-- Writes      core.sku
-- Run again   nothing written: a known (retailer, SKU) keeps its product

INSERT INTO core.sku (retailer, sku, product_id, name, brand, size, category, url, image_url, gtin, texts_at, joined_by, match_evidence, joined_at)
SELECT retailer, sku, product_id, name, brand, size, category, url, image_url, gtins[1], texts_at, joined_by, match_evidence, %(now)s
  FROM pending
 WHERE product_id IS NOT NULL AND NOT EXISTS (SELECT FROM core.sku AS known WHERE known.retailer = pending.retailer AND known.sku = pending.sku)
 ORDER BY n
    ON CONFLICT (retailer, sku) DO NOTHING

-- Insert the unknown SKUs with their products, in order of SKU.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  now timestamptz; rule_version integer
-- Reads       pending, placed
-- Writes      core.sku
-- Run again   nothing written

INSERT INTO core.sku (sku_key, retailer, sku, product_id, home_product_id, name, brand, size, category, url, image_url, gtin, texts_at, joined_by, match_evidence, joined_at)
OVERRIDING SYSTEM VALUE
SELECT pending.sku_key, pending.retailer, pending.sku, placed.product_id, CASE WHEN placed.is_home THEN placed.product_id END, pending.name, pending.brand, pending.size, pending.category, pending.url,
       pending.image_url, pending.gtins[1], pending.texts_at, placed.joined_by,
       CASE placed.joined_by WHEN 'barcode' THEN jsonb_build_object('gtin', placed.evidence)
                             WHEN 'key' THEN jsonb_build_object('key', placed.evidence, 'rule_version', %(rule_version)s::integer)
                             WHEN 'person' THEN jsonb_build_object('decision_id', placed.decision_id) ELSE '{}' END, %(now)s
  FROM pending
  JOIN placed USING (sku_key)
 ORDER BY pending.sku_key
    ON CONFLICT (retailer, sku) DO NOTHING

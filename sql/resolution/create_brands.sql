-- Insert new brands, in order of their folded spelling.
--
-- Called by   include/catalogue/resolve.py
-- Reads       changed_identity
-- Writes      core.brand
-- Run again   nothing written

INSERT INTO core.brand (folded, name)
SELECT DISTINCT ON (folded_brand) folded_brand, brand
  FROM changed_identity
 WHERE folded_brand <> '' AND NOT EXISTS (SELECT FROM core.brand AS known WHERE known.folded = changed_identity.folded_brand)
 ORDER BY folded_brand, observed_at, sku_key
    ON CONFLICT (folded) DO NOTHING

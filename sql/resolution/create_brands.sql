-- Insert new brands, in order of their folded spelling.
--
-- Called by   include/catalogue/read_again.py
-- Reads       changed_identity, core.brand
-- Writes      core.brand
-- Run again   nothing written

WITH known AS MATERIALIZED (
    SELECT folded FROM core.brand WHERE folded = ANY (ARRAY(SELECT DISTINCT folded_brand FROM changed_identity))
)
INSERT INTO core.brand (folded, name)
SELECT DISTINCT ON (folded_brand) folded_brand, brand
  FROM changed_identity
 WHERE folded_brand <> '' AND NOT EXISTS (SELECT FROM known WHERE known.folded = changed_identity.folded_brand)
 ORDER BY folded_brand, observed_at, sku_key
    ON CONFLICT (folded) DO NOTHING

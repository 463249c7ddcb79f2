-- Insert new brands, in order of their folded spelling.
--
-- Called by   include/catalogue/resolve.py
-- Reads       pending
-- Writes      core.brand
-- Run again   nothing written

INSERT INTO core.brand (folded, name)
SELECT DISTINCT ON (folded_brand) folded_brand, brand
  FROM pending
 WHERE folded_brand <> '' AND NOT EXISTS (SELECT FROM core.brand AS known WHERE known.folded = pending.folded_brand)
 ORDER BY folded_brand, n
    ON CONFLICT (folded) DO NOTHING

-- List the brands that accepted barcodes show to name the same goods.
--
-- Called by   include/catalogue/matching/warehouse.py
-- Reads       core.brand_alias, core.brand
-- Run again   same result until a barcode becomes known

SELECT mine.folded AS brand, other.folded AS alias
  FROM core.brand_alias AS alias
  JOIN core.brand AS mine USING (brand_id)
  JOIN core.brand AS other ON other.brand_id = alias.alias_id
 ORDER BY 1, 2

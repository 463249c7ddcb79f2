-- Accept the barcodes of the SKUs that nothing relates to another one.
--
-- Called by   include/catalogue/regroup.py, when these SKUs alone are placed
-- Reads       placed, core.sku_barcode
-- Writes      judged
-- Run again   nothing written

INSERT INTO judged (sku_key, gtin)
SELECT sku_key, gtin
  FROM core.sku_barcode
 WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM placed))
    ON CONFLICT (sku_key, gtin) DO NOTHING

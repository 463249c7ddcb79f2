-- Take barcodes from products that no SKU proves any more.
--
-- Called by   include/catalogue/regroup.py
-- Reads       judged
-- Writes      core.product_barcode   only those that every SKU claiming them is refused
--             core.sku   sku_changed_at, by triggers
-- Run again   nothing written

DELETE FROM core.product_barcode
 WHERE gtin = ANY (ARRAY(SELECT gtin FROM judged GROUP BY gtin HAVING bool_and(refused_because IS NOT NULL)))

-- Set the primary barcode of products: the first seen.
--
-- Called by   include/catalogue/regroup.py
-- Reads       placed, core.product_barcode
-- Writes      core.product_barcode
--             core.sku   sku_changed_at, by triggers
-- Run again   nothing written

WITH first AS MATERIALIZED (
    SELECT DISTINCT ON (product_id) product_id, gtin
      FROM core.product_barcode
     WHERE product_id = ANY (ARRAY(SELECT product_id FROM placed))
     ORDER BY product_id, first_seen_at, gtin
)
UPDATE core.product_barcode
   SET is_primary = true
 WHERE gtin = ANY (ARRAY(SELECT gtin FROM first)) AND NOT is_primary

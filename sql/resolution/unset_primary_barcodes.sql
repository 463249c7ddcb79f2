-- Unset the primary barcode of products that have an earlier one.
--
-- Called by   include/catalogue/regroup.py, before the new ones are set
-- Reads       placed, core.product_barcode
-- Writes      core.product_barcode
--             core.sku   sku_changed_at, by triggers
-- Run again   nothing written

UPDATE core.product_barcode AS barcode
   SET is_primary = false
  FROM (SELECT DISTINCT ON (product_id) product_id, gtin
          FROM core.product_barcode
         WHERE product_id = ANY (ARRAY(SELECT product_id FROM placed))
         ORDER BY product_id, first_seen_at, gtin) AS first
 WHERE barcode.product_id = ANY (ARRAY(SELECT product_id FROM placed)) AND barcode.product_id = first.product_id AND barcode.gtin <> first.gtin AND barcode.is_primary

-- Choose the SKU that a product is the home of, where no SKU of its group has it: the first.
--
-- Called by   include/catalogue/regroup.py, when every group has its product
-- Reads       placed, core.sku, changed_identity (a reused number has no home any more)
-- Writes      placed   is_home
-- Run again   nothing written

WITH homed AS MATERIALIZED (
    SELECT placed.group_n
      FROM placed
      JOIN core.sku AS sku USING (sku_key)
     WHERE sku.home_product_id = placed.product_id AND sku.sku_key = ANY (ARRAY(SELECT sku_key FROM placed))
       AND NOT EXISTS (SELECT FROM changed_identity AS changed WHERE changed.sku_key = placed.sku_key AND changed.is_reused)
), first AS (
    SELECT DISTINCT ON (group_n) group_n, sku_key FROM placed ORDER BY group_n, position
)
UPDATE placed
   SET is_home = true
  FROM first
 WHERE placed.sku_key = first.sku_key AND NOT placed.is_home AND NOT EXISTS (SELECT FROM homed WHERE homed.group_n = first.group_n)

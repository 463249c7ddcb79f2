-- Choose the product of each group: that of its first SKU which had one. A product stays with the group of its own first SKU.
--
-- Called by   include/catalogue/resolve.py
-- Reads       placed, core.sku, changed_identity (a reused number brings no product along)
-- Writes      placed   product_id; null: the group needs a new product
-- Run again   nothing written

WITH known AS MATERIALIZED (
    SELECT placed.group_n, placed.position, sku.product_id
      FROM placed
      JOIN core.sku AS sku USING (sku_key)
     WHERE NOT EXISTS (SELECT FROM changed_identity AS changed WHERE changed.sku_key = placed.sku_key AND changed.is_reused)
), held AS (
    SELECT DISTINCT ON (product_id) product_id, group_n, position FROM known ORDER BY product_id, position
), chosen AS (
    SELECT DISTINCT ON (group_n) group_n, product_id FROM held ORDER BY group_n, position
)
UPDATE placed
   SET product_id = chosen.product_id
  FROM chosen
 WHERE chosen.group_n = placed.group_n AND placed.product_id IS DISTINCT FROM chosen.product_id

-- Choose the product of each group: the oldest that it has. A product whose SKUs part stays with the SKU that has been in it longest.
--
-- Called by   include/catalogue/resolve.py
-- Reads       placed, core.sku, ops.merge_log (when SKUs moved last), changed_identity (a reused number brings no product along)
-- Writes      placed   product_id; null: the group needs a new product
-- Run again   nothing written

WITH known AS MATERIALIZED (
    SELECT placed.sku_key, placed.group_n, placed.position, sku.product_id
      FROM placed
      JOIN core.sku AS sku USING (sku_key)
     WHERE NOT EXISTS (SELECT FROM changed_identity AS changed WHERE changed.sku_key = placed.sku_key AND changed.is_reused)
), parting AS MATERIALIZED (
    SELECT product_id FROM known GROUP BY product_id HAVING min(group_n) <> max(group_n)
), moved AS MATERIALIZED (
    SELECT sku_key, max(merge_id) AS merge_id
      FROM ops.merge_log
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM known JOIN parting USING (product_id)))
     GROUP BY sku_key
), held AS (
    SELECT DISTINCT ON (known.product_id) known.product_id, known.group_n
      FROM known
      LEFT JOIN moved USING (sku_key)
     ORDER BY known.product_id, moved.merge_id NULLS FIRST, known.position
), chosen AS (
    SELECT group_n, min(product_id) AS product_id FROM held GROUP BY group_n
)
UPDATE placed
   SET product_id = chosen.product_id
  FROM chosen
 WHERE chosen.group_n = placed.group_n AND placed.product_id IS DISTINCT FROM chosen.product_id

-- Choose the product of each group: the smallest home of its SKUs, so that SKUs that part go back to where they came from.
--
-- Called by   include/catalogue/regroup.py
-- Reads       placed, core.sku, changed_identity (a reused number brings no product along)
-- Writes      placed   product_id; null: the group needs a new product
-- Run again   nothing written
--
-- A product that a reused number leaves without its home stays with its other SKUs.

WITH known AS MATERIALIZED (
    SELECT placed.sku_key, placed.group_n, placed.position, sku.product_id, sku.home_product_id
      FROM placed
      JOIN core.sku AS sku USING (sku_key)
     WHERE sku.sku_key = ANY (ARRAY(SELECT sku_key FROM placed))
       AND NOT EXISTS (SELECT FROM changed_identity AS changed WHERE changed.sku_key = placed.sku_key AND changed.is_reused)
), homed AS MATERIALIZED (
    SELECT group_n, min(home_product_id) AS product_id FROM known WHERE home_product_id IS NOT NULL GROUP BY group_n
), left_behind AS (
    SELECT DISTINCT ON (known.product_id) known.product_id, known.group_n
      FROM known
     WHERE NOT EXISTS (SELECT FROM known AS other WHERE other.home_product_id = known.product_id)
     ORDER BY known.product_id, known.position
), chosen AS (
    SELECT group_n, product_id FROM homed
     UNION ALL
    SELECT group_n, min(product_id) FROM left_behind WHERE NOT EXISTS (SELECT FROM homed WHERE homed.group_n = left_behind.group_n) GROUP BY group_n
)
UPDATE placed
   SET product_id = chosen.product_id
  FROM chosen
 WHERE chosen.group_n = placed.group_n AND placed.product_id IS DISTINCT FROM chosen.product_id

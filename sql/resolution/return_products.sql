-- Give groups without a product the one that their first SKU came from, if no SKU has it any more: what was undone is as before.
--
-- Called by   include/catalogue/resolve.py, after products were chosen
-- Reads       placed, pending, changed_identity, ops.merge_log (of a reused number only moves since then), core.sku
-- Writes      placed   product_id
-- Run again   nothing written

WITH needy AS MATERIALIZED (
    SELECT group_n, sku_key
      FROM (SELECT DISTINCT ON (group_n) group_n, sku_key FROM placed WHERE product_id IS NULL ORDER BY group_n, position) AS first
     WHERE NOT EXISTS (SELECT FROM pending WHERE pending.sku_key = first.sku_key)
       AND NOT EXISTS (SELECT FROM changed_identity AS changed WHERE changed.sku_key = first.sku_key AND changed.is_reused)
), move AS MATERIALIZED (
    SELECT sku_key, merge_id, from_product_id, max(merge_id) FILTER (WHERE merged_by = 'reuse') OVER (PARTITION BY sku_key) AS reused_id
      FROM ops.merge_log
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM needy))
), taken AS MATERIALIZED (
    SELECT DISTINCT product_id FROM core.sku WHERE product_id = ANY (ARRAY(SELECT from_product_id FROM move))
), former AS (
    SELECT DISTINCT ON (needy.group_n) needy.group_n, move.from_product_id
      FROM needy
      JOIN move USING (sku_key)
     WHERE move.merge_id > coalesce(move.reused_id, 0) AND NOT EXISTS (SELECT FROM taken WHERE taken.product_id = move.from_product_id)
     ORDER BY needy.group_n, move.merge_id DESC
), chosen AS (
    SELECT DISTINCT ON (from_product_id) group_n, from_product_id FROM former ORDER BY from_product_id, group_n
)
UPDATE placed
   SET product_id = chosen.from_product_id
  FROM chosen
 WHERE placed.group_n = chosen.group_n AND placed.product_id IS NULL

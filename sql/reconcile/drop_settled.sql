-- Drop what the matcher found about products that are one meanwhile, that a decision keeps apart, or whose join was undone.
--
-- Called by   include/catalogue/reconcile.py
-- Reads       core.sku, ops.apart, ops.match_pair, ops.match_decision
-- Writes      matched
-- Run again   nothing written

WITH pair AS MATERIALIZED (
    SELECT matched.left_sku_key, matched.right_sku_key, least(mine.product_id, other.product_id) AS left_product_id,
           greatest(mine.product_id, other.product_id) AS right_product_id
      FROM matched
      JOIN core.sku AS mine ON mine.sku_key = matched.left_sku_key
      JOIN core.sku AS other ON other.sku_key = matched.right_sku_key
), settled AS MATERIALIZED (
    SELECT left_product_id, right_product_id FROM ops.apart
     UNION
    SELECT least(mine.product_id, other.product_id), greatest(mine.product_id, other.product_id)
      FROM ops.match_decision AS decision
      JOIN ops.match_pair AS undone USING (decision_id)
      JOIN core.sku AS mine ON mine.sku_key = undone.left_sku_key
      JOIN core.sku AS other ON other.sku_key = undone.right_sku_key
     WHERE decision.choice = 'join' AND decision.ended_at IS NOT NULL
)
DELETE FROM matched
 USING pair
 WHERE matched.left_sku_key = pair.left_sku_key AND matched.right_sku_key = pair.right_sku_key
   AND (pair.left_product_id = pair.right_product_id
        OR EXISTS (SELECT FROM settled WHERE settled.left_product_id = pair.left_product_id AND settled.right_product_id = pair.right_product_id))

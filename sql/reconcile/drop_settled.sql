-- Drop what the matcher found about products that are one meanwhile, that a decision keeps apart, or whose join a person undid.
--
-- Called by   include/catalogue/reconcile.py
-- Reads       core.sku, unscored (the products as the matcher judged them), ops.match_pair, ops.match_decision
-- Writes      matched
-- Run again   nothing written

WITH pair AS MATERIALIZED (
    SELECT left_sku_key, right_sku_key, least(found.one_id, found.other_id) AS one_id, greatest(found.one_id, found.other_id) AS other_id
      FROM (SELECT matched.left_sku_key, matched.right_sku_key, coalesce(mine_before.product_id, mine.product_id) AS one_id,
                   coalesce(other_before.product_id, other.product_id) AS other_id
              FROM matched
              JOIN core.sku AS mine ON mine.sku_key = matched.left_sku_key
              JOIN core.sku AS other ON other.sku_key = matched.right_sku_key
              LEFT JOIN unscored AS mine_before ON mine_before.sku_key = mine.sku_key
              LEFT JOIN unscored AS other_before ON other_before.sku_key = other.sku_key) AS found
), settled AS MATERIALIZED (
    SELECT least(found.one_id, found.other_id) AS one_id, greatest(found.one_id, found.other_id) AS other_id
      FROM (SELECT coalesce(mine_before.product_id, mine.product_id) AS one_id, coalesce(other_before.product_id, other.product_id) AS other_id
              FROM ops.match_decision AS decision
              JOIN ops.match_pair AS decided USING (decision_id)
              JOIN core.sku AS mine ON mine.sku_key = decided.left_sku_key
              JOIN core.sku AS other ON other.sku_key = decided.right_sku_key
              LEFT JOIN unscored AS mine_before ON mine_before.sku_key = mine.sku_key
              LEFT JOIN unscored AS other_before ON other_before.sku_key = other.sku_key
             WHERE decision.choice = 'apart' AND decided.ended_at IS NULL OR decision.choice = 'join' AND decision.ended_via = 'undo') AS found
     GROUP BY 1, 2
), dropped AS MATERIALIZED (
    SELECT left_sku_key, right_sku_key FROM pair WHERE one_id = other_id
     UNION ALL
    SELECT left_sku_key, right_sku_key FROM pair JOIN settled USING (one_id, other_id)
)
DELETE FROM matched
 USING dropped
 WHERE matched.left_sku_key = dropped.left_sku_key AND matched.right_sku_key = dropped.right_sku_key

-- Forget the decisions about pairs with a number that was given to another good.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  now timestamptz
-- Reads       changed_identity
-- Writes      ops.match_pair   ended_at
-- Run again   nothing written

UPDATE ops.match_pair AS pair
   SET ended_at = %(now)s
 WHERE pair.ended_at IS NULL
   AND (pair.left_sku_key = ANY (ARRAY(SELECT sku_key FROM changed_identity WHERE is_reused))
        OR pair.right_sku_key = ANY (ARRAY(SELECT sku_key FROM changed_identity WHERE is_reused)))

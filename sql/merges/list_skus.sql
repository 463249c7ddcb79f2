-- List the SKUs of some decisions.
--
-- Called by   include/catalogue/merges.py, include/catalogue/reconcile.py
-- Parameters  decision_ids bigint[]
-- Reads       ops.match_pair
-- Run again   same result

SELECT left_sku_key AS sku_key FROM ops.match_pair WHERE decision_id = ANY (%(decision_ids)s)
 UNION
SELECT right_sku_key FROM ops.match_pair WHERE decision_id = ANY (%(decision_ids)s)
 ORDER BY sku_key

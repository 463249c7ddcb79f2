-- List the SKUs of the pairs that the matcher joined.
--
-- Called by   include/catalogue/reconcile.py
-- Reads       matched
-- Run again   same result

SELECT left_sku_key AS sku_key FROM matched WHERE is_sure
 UNION
SELECT right_sku_key FROM matched WHERE is_sure
 ORDER BY sku_key

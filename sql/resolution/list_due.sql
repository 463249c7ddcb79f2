-- List SKUs that are due to be grouped again, a block of them.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  after integer: last SKU of the block before; rows_max integer
-- Reads       due
-- Run again   same result

SELECT sku_key
  FROM due
 WHERE sku_key > %(after)s
 ORDER BY sku_key
 LIMIT %(rows_max)s

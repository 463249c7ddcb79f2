-- The retailers the warehouse knows.
--
-- Called by   include/warehouse/migrations.py
-- Reads       core.retailer
-- Run again   same answer

SELECT retailer, name FROM core.retailer ORDER BY retailer

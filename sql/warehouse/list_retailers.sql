-- List the warehouse's retailers.
--
-- Called by   include/warehouse/migrations.py
-- Reads       core.retailer
-- Run again   same result

SELECT retailer, name FROM core.retailer ORDER BY retailer

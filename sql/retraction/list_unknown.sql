-- List the SKUs priced only by the retracted store-day.
--
-- Called by   include/ingestion/retract.py, after the known rows are restored
-- Reads       affected   temporary
-- Run again   same result

SELECT sku FROM affected WHERE is_written AND NOT is_known ORDER BY sku

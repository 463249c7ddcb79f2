-- List the SKUs affected by a retraction.
--
-- Called by   include/ingestion/retract.py
-- Reads       affected   temporary
-- Run again   same result

SELECT sku FROM affected ORDER BY sku

-- The SKUs that would read otherwise without the store-day that is retracted.
--
-- Called by   include/ingestion/retract.py
-- Reads       affected   temporary
-- Run again   same answer

SELECT sku FROM affected ORDER BY sku

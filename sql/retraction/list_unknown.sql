-- The SKUs only the retracted store-day says the price of.
--
-- Called by   include/ingestion/retract.py, after the known rows are restored
-- Reads       affected   temporary
-- Run again   same answer

SELECT sku FROM affected WHERE is_written AND NOT is_known ORDER BY sku

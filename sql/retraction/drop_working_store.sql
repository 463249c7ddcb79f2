-- Remove the working store on which the other store-days were published again, with its prices.
--
-- Called by   include/ingestion/replay.py
-- Parameters  working_store_key integer
-- Writes      core.price, core.store   rows of the working store are deleted
-- Run again   nothing written

WITH prices AS (DELETE FROM core.price WHERE store_key = %(working_store_key)s)
DELETE FROM core.store WHERE store_key = %(working_store_key)s

-- Add some SKUs to those that are due to be grouped again.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  sku_keys integer[]
-- Writes      due
-- Run again   nothing written

INSERT INTO due (sku_key)
SELECT DISTINCT sku_key FROM unnest(%(sku_keys)s::integer[]) AS given (sku_key)
    ON CONFLICT (sku_key) DO NOTHING

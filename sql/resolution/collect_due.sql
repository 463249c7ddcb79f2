-- Collect a block of the SKUs that are due to be grouped again.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  sku_keys integer[]
-- Reads       core.sku
-- Writes      member   temporary; one row per SKU that is grouped again; round 0
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS member ON COMMIT DROP AS
SELECT sku_key, 0 AS round FROM core.sku WHERE sku_key = ANY (%(sku_keys)s)

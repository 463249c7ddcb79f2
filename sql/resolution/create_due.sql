-- Create the working table of known SKUs that are due to be grouped again.
--
-- Called by   include/catalogue/regroup.py
-- Writes      due   temporary; one row per SKU
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS due (
    sku_key integer PRIMARY KEY
) ON COMMIT DROP

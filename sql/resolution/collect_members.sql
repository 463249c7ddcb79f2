-- Collect the changed SKUs.
--
-- Called by   include/catalogue/resolve.py
-- Reads       changed_identity, changed_barcode
-- Writes      member   temporary; one row per SKU that is grouped again; round 0
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS member ON COMMIT DROP AS
SELECT sku_key, 0 AS round
  FROM (SELECT sku_key FROM changed_identity
         UNION
        SELECT sku_key FROM changed_barcode) AS changed

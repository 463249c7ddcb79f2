-- List the SKUs of some barcode conflicts.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  conflict_ids bigint[]
-- Reads       core.sku_barcode
-- Run again   same result

SELECT DISTINCT sku_key FROM core.sku_barcode WHERE claim_id = ANY (%(conflict_ids)s) ORDER BY sku_key

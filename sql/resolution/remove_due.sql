-- Remove the SKUs that were grouped in this block, among them neighbours that were due themselves.
--
-- Called by   include/catalogue/regroup.py
-- Reads       member
-- Writes      due
-- Run again   nothing written

DELETE FROM due WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM member))

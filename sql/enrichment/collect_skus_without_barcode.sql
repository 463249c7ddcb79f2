-- The distinct SKUs of waiting files that lack a barcode.
--
-- Called by   include/enrichment/prefill.py
-- Reads       candidate_sku   temporary; one row per line
-- Writes      sku_without_barcode   temporary; one row per SKU
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS sku_without_barcode ON COMMIT DROP AS
SELECT DISTINCT sku FROM candidate_sku

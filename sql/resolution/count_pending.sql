-- Count the unknown SKUs by kind of match.
--
-- Called by   include/catalogue/resolve.py
-- Reads       pending   temporary
-- Run again   same result

SELECT count(*) AS skus, count(*) FILTER (WHERE joined_by = 'barcode') AS by_barcode, count(*) FILTER (WHERE joined_by = 'key') AS by_key FROM pending

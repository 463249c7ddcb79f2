-- Count the new SKUs by kind of match.
--
-- Called by   include/catalogue/regroup.py
-- Reads       pending, placed   temporary
-- Run again   same result

SELECT count(*) FILTER (WHERE placed.joined_by = 'barcode') AS by_barcode, count(*) FILTER (WHERE placed.joined_by = 'key') AS by_key
  FROM pending
  JOIN placed USING (sku_key)

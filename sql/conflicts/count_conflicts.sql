-- Count the barcode conflicts.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  retailer text (null = all)
-- Reads       ops.barcode_conflict
-- Run again   same result

SELECT count(*) AS conflicts, count(*) FILTER (WHERE is_open) AS open
  FROM ops.barcode_conflict
 WHERE %(retailer)s::text IS NULL OR retailer = %(retailer)s

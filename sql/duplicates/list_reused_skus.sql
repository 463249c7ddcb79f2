-- List SKUs whose number the retailer gave to another good, the latest first.
--
-- Called by   include/diagnostics/duplicates.py
-- Parameters  rows_max integer
-- Reads       core.sku
-- Run again   same result while the catalogue is the same

SELECT retailer, sku, name, product_id, former_until_at, count(*) OVER ()::integer AS found
  FROM core.sku
 WHERE former_until_at IS NOT NULL
 ORDER BY former_until_at DESC, retailer, sku
 LIMIT %(rows_max)s

-- Show the newest looked-up barcode as the retailer's, where no line has given one.
--
-- Called by   include/catalogue/resolve.py
-- Reads       sighting, core.sku_barcode
-- Writes      core.sku
-- Run again   nothing written

UPDATE core.sku AS known
   SET gtin = newest.gtin
  FROM (SELECT DISTINCT ON (sku_key) sku_key, gtin
          FROM core.sku_barcode
         WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM sighting)) AND source <> 'file'
         ORDER BY sku_key, first_seen_at DESC, gtin DESC) AS newest
 WHERE known.sku_key = newest.sku_key AND known.sku_key = ANY (ARRAY(SELECT sku_key FROM sighting)) AND known.gtin IS DISTINCT FROM newest.gtin
   AND NOT EXISTS (SELECT FROM core.sku_barcode AS given
                    WHERE given.sku_key = ANY (ARRAY(SELECT sku_key FROM sighting)) AND given.sku_key = known.sku_key AND given.gtin = known.gtin AND given.source = 'file')

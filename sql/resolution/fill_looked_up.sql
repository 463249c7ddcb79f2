-- Show the newest looked-up barcode as the retailer's, where no line has given one.
--
-- Called by   include/catalogue/resolve.py
-- Reads       sighting, core.sku_barcode
-- Writes      core.sku
-- Run again   nothing written

UPDATE core.sku AS known
   SET gtin = learnt.gtin
  FROM (SELECT sku_key,
               (array_agg(gtin ORDER BY first_seen_at DESC, gtin DESC) FILTER (WHERE source <> 'file'))[1] AS gtin,
               array_agg(gtin) FILTER (WHERE source = 'file') AS given
          FROM core.sku_barcode
         WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM sighting))
         GROUP BY sku_key) AS learnt
 WHERE known.sku_key = learnt.sku_key AND known.sku_key = ANY (ARRAY(SELECT sku_key FROM sighting))
   AND learnt.gtin IS NOT NULL AND known.gtin IS DISTINCT FROM learnt.gtin
   AND (known.gtin = ANY (learnt.given)) IS NOT TRUE

-- Queue the SKUs of the catalogue for which no barcode of the retailer is accepted, whichever way they came.
--
-- Called by   include/enrichment/lookup_queue.py
-- Parameters  retailer text; now timestamptz
-- Reads       core.sku, core.sku_barcode
-- Writes      ops.barcode_lookup
-- Run again   nothing written
--
-- One that was found is queued again only when its barcode is forgotten, because the number was given to another good.

INSERT INTO ops.barcode_lookup AS queued (retailer, sku, queued_at, retry_at)
SELECT known.retailer, known.sku, %(now)s, %(now)s
  FROM core.sku AS known
 WHERE known.retailer = %(retailer)s
   AND NOT EXISTS (SELECT FROM core.sku_barcode AS claim WHERE claim.sku_key = known.sku_key AND claim.refused_because IS NULL)
 ORDER BY known.sku
    ON CONFLICT (retailer, sku) DO UPDATE
   SET queued_at = excluded.queued_at, retry_at = excluded.retry_at, attempts = 0, result = NULL, gtin = NULL, detail = NULL, source = NULL
 WHERE queued.result = 'found' AND NOT EXISTS (SELECT FROM core.sku_barcode AS claim WHERE claim.sku_key = queued.sku_key AND claim.gtin = queued.gtin)

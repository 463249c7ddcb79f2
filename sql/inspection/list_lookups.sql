-- List the state of SKUs in the queue of look-ups: some SKUs of one retailer, and all for which a barcode was found.
--
-- Called by   include/diagnostics/inspect_catalogue.py
-- Parameters  retailer text; skus text[]; sku_keys integer[]; gtin text (null = none)
-- Reads       ops.barcode_lookup
-- Run again   same result

SELECT retailer, sku, queued_at, coalesce(result, 'waiting') AS result, gtin, source, asked_at, asked_store_id, attempts, retry_at, claim, detail
  FROM ops.barcode_lookup
 WHERE retailer = %(retailer)s AND sku = ANY (%(skus)s::text[]) OR sku_key = ANY (%(sku_keys)s::integer[]) OR gtin = %(gtin)s
 ORDER BY retailer, sku

-- Queue SKUs for look-up.
--
-- Called by   include/enrichment/known_barcodes.py
-- Parameters  retailer text; skus text[]: those without a proved barcode; now timestamptz
-- Writes      ops.barcode_lookup
-- Run again   nothing written: SKUs looked up or queued before are unchanged

INSERT INTO ops.barcode_lookup (retailer, sku, queued_at, retry_at)
SELECT %(retailer)s, sku, %(now)s, %(now)s
  FROM unnest(%(skus)s::text[]) AS asked (sku)
 ORDER BY sku
    ON CONFLICT (retailer, sku) DO NOTHING

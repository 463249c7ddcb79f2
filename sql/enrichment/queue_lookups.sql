-- Queue SKUs for look-up whose barcode the retailer has not shown; one that only their product has is no proof.
--
-- Called by   include/enrichment/prefill.py
-- Parameters  retailer text; now timestamptz
-- Reads       sku_without_barcode   temporary; core.sku, core.sku_barcode
-- Writes      ops.barcode_lookup
-- Run again   nothing written: SKUs looked up or queued before are unchanged

INSERT INTO ops.barcode_lookup (retailer, sku, state, queued_at)
SELECT %(retailer)s, sku_without_barcode.sku, 'queued', %(now)s
  FROM sku_without_barcode
 WHERE NOT EXISTS (SELECT FROM core.sku AS known
                     JOIN core.sku_barcode AS claim ON claim.sku_key = known.sku_key AND claim.refused_because IS NULL
                    WHERE known.retailer = %(retailer)s AND known.sku = sku_without_barcode.sku)
 ORDER BY sku_without_barcode.sku
    ON CONFLICT (retailer, sku) DO NOTHING

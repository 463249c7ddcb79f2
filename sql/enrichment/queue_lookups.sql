-- Queue SKUs without a known barcode for look-up.
--
-- Called by   include/enrichment/prefill.py
-- Parameters  retailer text; now timestamptz
-- Reads       sku_without_barcode   temporary; core.sku, core.product_barcode
-- Writes      ops.barcode_lookup
-- Run again   nothing written: SKUs looked up or queued before are unchanged

INSERT INTO ops.barcode_lookup (retailer, sku, state, queued_at)
SELECT %(retailer)s, sku_without_barcode.sku, 'queued', %(now)s
  FROM sku_without_barcode
 WHERE NOT EXISTS (SELECT FROM core.sku AS known
                     LEFT JOIN core.product_barcode AS barcode ON barcode.product_id = known.product_id AND barcode.is_primary
                    WHERE known.retailer = %(retailer)s AND known.sku = sku_without_barcode.sku AND coalesce(known.gtin, barcode.gtin) IS NOT NULL)
 ORDER BY sku_without_barcode.sku
    ON CONFLICT (retailer, sku) DO NOTHING

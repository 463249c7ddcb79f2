-- Queue SKUs for look-up for which the retailer has shown no barcode that the catalogue accepts; one that only their product has is no proof.
--
-- Called by   include/enrichment/known_barcodes.py
-- Parameters  retailer text; now timestamptz
-- Reads       asked_sku   temporary; core.sku, core.sku_barcode
-- Writes      ops.barcode_lookup
-- Run again   nothing written: SKUs looked up or queued before are unchanged

INSERT INTO ops.barcode_lookup (retailer, sku, queued_at, retry_at)
SELECT %(retailer)s, asked.sku, %(now)s, %(now)s
  FROM asked_sku AS asked
 WHERE NOT EXISTS (SELECT FROM core.sku AS known
                     JOIN core.sku_barcode AS claim ON claim.sku_key = known.sku_key AND claim.refused_because IS NULL
                    WHERE known.retailer = %(retailer)s AND known.sku = ANY (ARRAY(SELECT sku FROM asked_sku)) AND known.sku = asked.sku)
 ORDER BY asked.sku
    ON CONFLICT (retailer, sku) DO NOTHING

-- List who claims barcodes: all claims of some SKUs, and all to one barcode, with where each was found and what became of it.
--
-- Called by   include/diagnostics/inspect_catalogue.py
-- Parameters  sku_keys integer[]; gtin text (null = none)
-- Reads       core.sku_barcode, core.sku, ops.barcode_conflict
-- Run again   same result

SELECT claim.claim_id, claim.sku_key, sku.retailer, sku.sku, sku.name, sku.product_id, claim.gtin, coalesce(claim.refused_because, 'accepted') AS state,
       claim.source, claim.file_id, claim.first_seen_at, claim.learned_at, conflict.is_open, conflict.choice
  FROM core.sku_barcode AS claim
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN ops.barcode_conflict AS conflict ON conflict.conflict_id = claim.claim_id
 WHERE claim.sku_key = ANY (%(sku_keys)s::integer[]) OR claim.gtin = %(gtin)s
 ORDER BY claim.first_seen_at, sku.retailer, sku.sku, claim.gtin

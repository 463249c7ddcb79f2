-- Record which barcode claims are refused, and why.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  now timestamptz
-- Reads       judged
-- Writes      core.sku_barcode
--             core.sku   sku_changed_at, by triggers
-- Run again   nothing written

UPDATE core.sku_barcode AS claim
   SET refused_because = judged.refused_because, refused_at = CASE WHEN judged.refused_because IS NOT NULL THEN %(now)s::timestamptz END
  FROM judged
 WHERE claim.sku_key = ANY (ARRAY(SELECT sku_key FROM judged)) AND claim.sku_key = judged.sku_key AND claim.gtin = judged.gtin AND claim.refused_because IS DISTINCT FROM judged.refused_because

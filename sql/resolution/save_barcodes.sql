-- Save the barcodes that retailers claim; accepted until they are judged.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  now timestamptz
-- Reads       changed_barcode
-- Writes      core.sku_barcode
--             core.sku   sku_changed_at, by triggers
-- Run again   nothing written

INSERT INTO core.sku_barcode AS claim (sku_key, gtin, together, first_seen_at, source, file_id, learned_at)
SELECT sku_key, gtin, together, first_seen_at, source, file_id, %(now)s
  FROM changed_barcode
 ORDER BY sku_key, gtin
    ON CONFLICT (sku_key, gtin) DO UPDATE
   SET together = excluded.together, first_seen_at = excluded.first_seen_at, source = excluded.source, file_id = excluded.file_id
 WHERE (claim.together, claim.first_seen_at, claim.source, claim.file_id) IS DISTINCT FROM (excluded.together, excluded.first_seen_at, excluded.source, excluded.file_id)

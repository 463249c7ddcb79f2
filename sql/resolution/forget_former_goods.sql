-- Forget the barcodes of goods whose number was given to another good.
--
-- Called by   include/catalogue/resolve.py, before the new barcodes are saved
-- Reads       changed_identity, changed_barcode
-- Writes      core.sku_barcode   core.product_barcode keeps what the former product had
--             core.sku   sku_changed_at, by triggers
-- Run again   nothing written

DELETE FROM core.sku_barcode AS claim
 USING (SELECT sku_key, is_reused, former_until_at FROM changed_identity WHERE former_until_at IS NOT NULL) AS changed
 WHERE claim.sku_key = changed.sku_key AND (changed.is_reused OR claim.first_seen_at <= changed.former_until_at)
   AND NOT EXISTS (SELECT FROM changed_barcode AS given WHERE given.sku_key = claim.sku_key AND given.gtin = claim.gtin)

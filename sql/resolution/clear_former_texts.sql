-- Clear the texts of reused numbers, so that nothing of the former good is shown with the new one.
--
-- Called by   include/catalogue/regroup.py, before the texts of known SKUs are refreshed
-- Reads       changed_identity
-- Writes      core.sku
-- Run again   nothing written

UPDATE core.sku
   SET name = changed.name, brand = changed.brand, size = changed.size, category = NULL, url = NULL, image_url = NULL, gtin = NULL,
       texts_at = changed.observed_at, former_until_at = changed.former_until_at
  FROM changed_identity AS changed
 WHERE core.sku.sku_key = ANY (ARRAY(SELECT sku_key FROM changed_identity WHERE is_reused)) AND core.sku.sku_key = changed.sku_key AND changed.is_reused AND core.sku.former_until_at IS DISTINCT FROM changed.former_until_at

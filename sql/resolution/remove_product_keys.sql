-- Remove product keys that the deciding texts have no more.
--
-- Called by   include/catalogue/read_again.py
-- Reads       changed_identity
-- Writes      core.sku_product_key
-- Run again   nothing written

DELETE FROM core.sku_product_key AS known
 USING changed_identity AS changed
 WHERE known.sku_key = ANY (ARRAY(SELECT sku_key FROM changed_identity)) AND known.sku_key = changed.sku_key AND known.product_key <> ALL (changed.product_keys)

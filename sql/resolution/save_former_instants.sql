-- Save until when lines were about a former good, for SKUs of which only older lines were about another one.
--
-- Called by   include/catalogue/regroup.py
-- Reads       changed_identity
-- Writes      core.sku
-- Run again   nothing written

UPDATE core.sku
   SET former_until_at = changed.former_until_at
  FROM changed_identity AS changed
 WHERE core.sku.sku_key = ANY (ARRAY(SELECT sku_key FROM changed_identity WHERE former_until_at IS NOT NULL)) AND core.sku.sku_key = changed.sku_key AND changed.former_until_at IS NOT NULL AND core.sku.former_until_at IS DISTINCT FROM changed.former_until_at

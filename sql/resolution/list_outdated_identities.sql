-- List the deciding texts that another version of the rules has read.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  rule_version integer
-- Reads       core.sku_identity
-- Run again   same result

SELECT sku_key, name, brand, size, observed_at FROM core.sku_identity WHERE rule_version <> %(rule_version)s ORDER BY sku_key

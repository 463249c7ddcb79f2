-- Confirm that this version of the rules reads some deciding texts as the version before.
--
-- Called by   include/catalogue/read_again.py
-- Parameters  sku_keys integer[]; rule_version integer
-- Writes      core.sku_identity   rule_version
-- Run again   nothing written

UPDATE core.sku_identity
   SET rule_version = %(rule_version)s
 WHERE sku_key = ANY (%(sku_keys)s) AND rule_version <> %(rule_version)s

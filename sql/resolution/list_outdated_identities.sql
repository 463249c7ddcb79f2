-- List deciding texts that another version of the rules has read, a page of them.
--
-- Called by   include/catalogue/read_again.py
-- Parameters  rule_version integer; after integer: last SKU of the page before; rows_max integer
-- Reads       core.sku_identity
-- Run again   same result

SELECT sku_key, name, brand, size, observed_at, reading_hash, piece_count, piece_count_at
  FROM core.sku_identity
 WHERE rule_version <> %(rule_version)s AND sku_key > %(after)s
 ORDER BY sku_key
 LIMIT %(rows_max)s

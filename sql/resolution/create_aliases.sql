-- Insert the keys of newly joined SKUs as aliases of their products.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  rule_version integer
-- Reads       pending
-- Writes      core.product_alias
-- Run again   nothing written

INSERT INTO core.product_alias (product_key, product_id, rule_version)
SELECT DISTINCT product_key, product_id, %(rule_version)s::integer
  FROM pending
 WHERE product_id IS NOT NULL AND product_key IS NOT NULL
 ORDER BY product_key, product_id
    ON CONFLICT (product_key, product_id) DO NOTHING

-- Add the keys of a product that lost its last SKU to the SKU's new product, so that the next SKU with the key does not join the old one.
--
-- Called by   include/catalogue/resolve.py, after moves
-- Parameters  now timestamptz: moves logged at this instant are read
-- Reads       ops.merge_log, core.sku
-- Writes      core.product_alias   the old alias stays, so undo finds it; the new one is added and the old product has no SKU to join
-- Run again   nothing written

WITH emptied AS (
    SELECT DISTINCT ON (log.from_product_id) log.from_product_id, log.to_product_id
      FROM ops.merge_log AS log
     WHERE log.merged_at = %(now)s AND log.undone_at IS NULL
       AND NOT EXISTS (SELECT FROM core.sku AS left_over WHERE left_over.product_id = log.from_product_id)
     ORDER BY log.from_product_id, log.merge_id
)
INSERT INTO core.product_alias (product_key, product_id, rule_version)
SELECT alias.product_key, emptied.to_product_id, alias.rule_version
  FROM emptied
  JOIN core.product_alias AS alias ON alias.product_id = emptied.from_product_id
 ORDER BY 1, 2
    ON CONFLICT (product_key, product_id) DO NOTHING

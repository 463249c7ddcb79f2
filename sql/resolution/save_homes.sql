-- Save the homes of known SKUs: products made for them, or left by a number that was given to another good.
--
-- Called by   include/catalogue/regroup.py
-- Reads       placed, changed_identity
-- Writes      core.sku   home_product_id
-- Run again   nothing written

WITH given AS MATERIALIZED (
    SELECT placed.sku_key, CASE WHEN placed.is_home THEN placed.product_id END AS product_id
      FROM placed
     WHERE placed.is_home OR EXISTS (SELECT FROM changed_identity AS changed WHERE changed.sku_key = placed.sku_key AND changed.is_reused)
)
UPDATE core.sku
   SET home_product_id = given.product_id
  FROM given
 WHERE core.sku.sku_key = ANY (ARRAY(SELECT sku_key FROM given)) AND core.sku.sku_key = given.sku_key AND core.sku.home_product_id IS DISTINCT FROM given.product_id

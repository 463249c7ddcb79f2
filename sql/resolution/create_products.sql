-- Create a product for every group without one, in the order in which their first SKUs were seen.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  now timestamptz
-- Reads       placed, core.sku_identity
-- Writes      core.product; placed   product_id
-- Run again   nothing written

WITH numbered AS (
    SELECT group_n, sku_key, nextval(pg_get_serial_sequence('core.product', 'product_id')) AS product_id
      FROM (SELECT DISTINCT ON (group_n) group_n, sku_key, position FROM placed WHERE product_id IS NULL ORDER BY group_n, position) AS first
     ORDER BY position
), created AS (
    INSERT INTO core.product (product_id, name, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT numbered.product_id, identity.name, %(now)s
      FROM numbered
      JOIN core.sku_identity AS identity USING (sku_key)
     ORDER BY numbered.product_id
)
UPDATE placed
   SET product_id = numbered.product_id
  FROM numbered
 WHERE numbered.group_n = placed.group_n

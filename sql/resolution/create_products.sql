-- Create a product for every group without one, in the order in which their first SKUs were seen.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  now timestamptz
-- Reads       placed, core.sku_identity
-- Writes      core.product; placed   product_id
-- Run again   nothing written

WITH numbered AS MATERIALIZED (
    SELECT group_n, name, nextval(pg_get_serial_sequence('core.product', 'product_id')) AS product_id
      FROM (SELECT first.group_n, identity.name
              FROM (SELECT DISTINCT ON (group_n) group_n, sku_key FROM placed WHERE product_id IS NULL ORDER BY group_n, position) AS first
              JOIN core.sku_identity AS identity ON identity.sku_key = first.sku_key AND identity.sku_key = ANY (ARRAY(SELECT sku_key FROM placed WHERE product_id IS NULL))
             ORDER BY identity.observed_at, first.sku_key) AS ordered
), created AS (
    INSERT INTO core.product (product_id, name, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT product_id, name, %(now)s FROM numbered ORDER BY product_id
)
UPDATE placed
   SET product_id = numbered.product_id
  FROM numbered
 WHERE numbered.group_n = placed.group_n

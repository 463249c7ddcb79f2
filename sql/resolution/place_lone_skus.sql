-- Place the SKUs that nothing relates to another one: each is a product of its own, whatever its text says.
--
-- Called by   include/catalogue/regroup.py, when all neighbours are members
-- Reads       member, core.sku, core.sku_product_key, core.sku_barcode, ops.barcode_decision, ops.match_pair
-- Writes      placed   groups are numbered from 0
-- Run again   nothing written
--
-- Not one about whose barcodes a person decided, and not one whose barcodes contradict each other: include/catalogue/grouping.py judges them.

WITH known AS MATERIALIZED (
    SELECT sku_key, product_id FROM core.sku WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM member))
), keyed AS MATERIALIZED (
    SELECT sku_key, product_key FROM core.sku_product_key WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM member))
), claim AS MATERIALIZED (
    SELECT sku_key, gtin, together FROM core.sku_barcode WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM member))
), related AS MATERIALIZED (
    SELECT sku_key FROM known WHERE product_id IN (SELECT product_id FROM known GROUP BY product_id HAVING count(*) > 1)
     UNION ALL
    SELECT sku_key FROM keyed WHERE product_key IN (SELECT product_key FROM keyed GROUP BY product_key HAVING count(*) > 1)
     UNION ALL
    SELECT sku_key FROM claim WHERE gtin IN (SELECT gtin FROM claim GROUP BY gtin HAVING count(*) > 1)
     UNION ALL
    SELECT sku_key FROM claim GROUP BY sku_key HAVING min(together) <> max(together)
     UNION ALL
    SELECT sku_key FROM ops.barcode_decision WHERE ended_at IS NULL AND sku_key = ANY (ARRAY(SELECT sku_key FROM member))
     UNION ALL
    SELECT left_sku_key FROM ops.match_pair WHERE choice = 'join' AND ended_at IS NULL AND left_sku_key = ANY (ARRAY(SELECT sku_key FROM member))
     UNION ALL
    SELECT right_sku_key FROM ops.match_pair WHERE choice = 'join' AND ended_at IS NULL AND right_sku_key = ANY (ARRAY(SELECT sku_key FROM member))
)
INSERT INTO placed (sku_key, group_n, position, joined_by)
SELECT member.sku_key, row_number() OVER (ORDER BY member.sku_key) - 1, 0, 'new'
  FROM member
 WHERE NOT EXISTS (SELECT FROM related WHERE related.sku_key = member.sku_key)
    ON CONFLICT (sku_key) DO NOTHING

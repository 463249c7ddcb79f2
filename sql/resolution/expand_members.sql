-- Add the SKUs that share a product, a barcode, a product key or a decision that joins them with those of the last round.
--
-- Called by   include/catalogue/regroup.py, repeated until nothing is written: before the changes are saved, then after
-- Parameters  round integer: of the added; from_round integer: rounds to start from
-- Reads       member, core.sku, core.sku_barcode, core.sku_product_key, ops.match_pair
-- Writes      member
-- Run again   one step further; nothing written once all neighbours are members

INSERT INTO member (sku_key, round)
SELECT found.sku_key, %(round)s
  FROM (SELECT sku_key
          FROM core.sku
         WHERE product_id = ANY (ARRAY(SELECT product_id FROM core.sku WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM member WHERE round >= %(from_round)s))))
         UNION
        SELECT sku_key
          FROM core.sku_barcode
         WHERE gtin = ANY (ARRAY(SELECT gtin FROM core.sku_barcode WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM member WHERE round >= %(from_round)s))))
         UNION
        SELECT sku_key
          FROM core.sku_product_key
         WHERE product_key = ANY (ARRAY(SELECT product_key FROM core.sku_product_key WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM member WHERE round >= %(from_round)s))))
         UNION
        SELECT right_sku_key
          FROM ops.match_pair
         WHERE choice = 'join' AND ended_at IS NULL AND left_sku_key = ANY (ARRAY(SELECT sku_key FROM member WHERE round >= %(from_round)s))
         UNION
        SELECT left_sku_key
          FROM ops.match_pair
         WHERE choice = 'join' AND ended_at IS NULL AND right_sku_key = ANY (ARRAY(SELECT sku_key FROM member WHERE round >= %(from_round)s))
       ) AS found
 WHERE NOT EXISTS (SELECT FROM member AS known WHERE known.sku_key = found.sku_key)

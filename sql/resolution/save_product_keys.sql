-- Save the product keys of the deciding texts, after the texts themselves.
--
-- Called by   include/catalogue/read_again.py
-- Reads       changed_identity
-- Writes      core.sku_product_key   one row per (SKU, key)
-- Run again   nothing written

INSERT INTO core.sku_product_key AS known (sku_key, product_key, position)
SELECT changed.sku_key, found.product_key, found.position
  FROM changed_identity AS changed
 CROSS JOIN LATERAL unnest(changed.product_keys) WITH ORDINALITY AS found (product_key, position)
 ORDER BY changed.sku_key, found.position
    ON CONFLICT (sku_key, product_key) DO UPDATE
   SET position = excluded.position
 WHERE known.position IS DISTINCT FROM excluded.position

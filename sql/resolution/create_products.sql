-- Create a product for every leader without one, in order of SKU, and assign it to the leader.
--
-- Called by   include/catalogue/resolve.py: once for leaders with a barcode, then for those without
-- Parameters  has_barcode boolean; now timestamptz
-- Reads       pending, core.brand
-- Writes      core.product; pending   product_id, joined_by
-- Run again   nothing written

WITH numbered AS (
    SELECT n, nextval(pg_get_serial_sequence('core.product', 'product_id')) AS product_id
      FROM (SELECT n FROM pending WHERE product_id IS NULL AND leader = n AND (gtins IS NOT NULL) = %(has_barcode)s ORDER BY n) AS leaders
), created AS (
    INSERT INTO core.product (product_id, name, brand_id, size, size_quantity, size_unit, own_label_of, image_url, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT numbered.product_id, p.name, brand.brand_id, p.size, p.size_quantity, p.size_unit, p.own_label_of, p.image_url, %(now)s
      FROM numbered
      JOIN pending AS p USING (n)
      LEFT JOIN core.brand AS brand ON brand.folded = p.folded_brand
     ORDER BY n
)
UPDATE pending
   SET product_id = numbered.product_id, joined_by = 'new', match_evidence = '{}'
  FROM numbered
 WHERE numbered.n = pending.n

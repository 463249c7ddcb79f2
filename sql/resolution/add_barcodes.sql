-- Add the barcodes of newly joined SKUs to their products; the first one is primary.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  now timestamptz
-- Reads       pending
-- Writes      core.product_barcode   a barcode of another product is not moved
-- Run again   nothing written

INSERT INTO core.product_barcode (gtin, product_id, is_primary, first_seen_at)
SELECT gtin, product_id,
       row_number() OVER (PARTITION BY product_id ORDER BY n, nth) = 1
           AND NOT EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = new.product_id AND b.is_primary),
       %(now)s
  FROM (SELECT DISTINCT ON (given.gtin) given.gtin, given.product_id, given.n, given.nth
          FROM (SELECT n, product_id, unnest(gtins) AS gtin, generate_subscripts(gtins, 1) AS nth FROM pending WHERE product_id IS NOT NULL) AS given
         WHERE NOT EXISTS (SELECT FROM core.product_barcode AS b WHERE b.gtin = given.gtin)
         ORDER BY given.gtin, given.n, given.nth) AS new
 ORDER BY gtin
    ON CONFLICT (gtin) DO NOTHING

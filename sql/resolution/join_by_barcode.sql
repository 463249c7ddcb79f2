-- Join unknown SKUs to the product that owns one of their barcodes; of several owners the first barcode's wins.
--
-- Called by   include/catalogue/resolve.py, before the other joins
-- Reads       pending, core.product_barcode
-- Writes      pending   product_id, joined_by, match_evidence
-- Run again   nothing written

UPDATE pending
   SET product_id = owner.product_id, joined_by = 'barcode', match_evidence = jsonb_build_object('gtin', owner.gtin)
  FROM (SELECT DISTINCT ON (given.n) given.n, known.product_id, known.gtin
          FROM (SELECT n, unnest(gtins) AS gtin, generate_subscripts(gtins, 1) AS nth FROM pending WHERE product_id IS NULL) AS given
          JOIN core.product_barcode AS known USING (gtin)
         ORDER BY given.n, given.nth) AS owner
 WHERE owner.n = pending.n

-- Join unknown SKUs to the product that owns one of their barcodes; of several owners the first barcode's wins.
--
-- Called by   include/catalogue/resolve.py, first of all ways to join
-- Reads       pending, core.product_barcode
-- Writes      pending   product_id, joined_by, match_evidence
-- Run again   nothing written

UPDATE pending
   SET product_id = owner.product_id, joined_by = 'barcode', match_evidence = jsonb_build_object('gtin', owner.gtin)
  FROM (SELECT DISTINCT ON (p.n) p.n, known.product_id, known.gtin
          FROM pending AS p
         CROSS JOIN LATERAL unnest(p.gtins) WITH ORDINALITY AS given (gtin, place)
          JOIN core.product_barcode AS known USING (gtin)
         WHERE p.product_id IS NULL
         ORDER BY p.n, given.place) AS owner
 WHERE owner.n = pending.n

-- Set as leader of each unknown SKU without a barcode the first one with the same key and exactly the same text.
--
-- Called by   include/catalogue/resolve.py
-- Reads       pending
-- Writes      pending   leader
-- Run again   nothing written

UPDATE pending
   SET leader = first.n
  FROM (SELECT min(n) AS n, product_key, normalised_text
          FROM pending
         WHERE product_id IS NULL AND gtins IS NULL AND product_key IS NOT NULL
         GROUP BY product_key, normalised_text) AS first
 WHERE pending.product_id IS NULL AND pending.gtins IS NULL
   AND (pending.product_key, pending.normalised_text) = (first.product_key, first.normalised_text) AND pending.leader <> first.n

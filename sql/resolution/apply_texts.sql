-- Update pending SKUs with the values read from their texts: key, folded brand, own label, size.
--
-- Called by   include/catalogue/resolve.py
-- Reads       pending_text   temporary; one row per pending SKU
-- Writes      pending   temporary; every SKU leads itself
-- Run again   nothing written

UPDATE pending
   SET product_key = t.product_key, folded_brand = t.folded_brand, own_label_of = t.own_label_of,
       size_quantity = t.size_quantity, size_unit = t.size_unit, leader = t.n
  FROM pending_text AS t
 WHERE t.n = pending.n AND pending.folded_brand IS NULL

-- List the pairs of brands that barcodes show on the same goods and about which nothing was decided.
--
-- Called by   include/catalogue/brands.py
-- Parameters  products_min integer: products that have to show it
-- Reads       core.brand_alias, core.brand, ops.brand_pair
-- Run again   same result until a pair is decided

SELECT learned.brand_id, brand.folded, learned.alias_id, alias.folded AS alias_folded, learned.products
  FROM core.brand_alias AS learned
  JOIN core.brand AS brand ON brand.brand_id = learned.brand_id
  JOIN core.brand AS alias ON alias.brand_id = learned.alias_id
  LEFT JOIN ops.brand_pair AS known ON known.left_brand_id = learned.brand_id AND known.right_brand_id = learned.alias_id
 WHERE learned.products >= %(products_min)s AND known.decision_id IS NULL
 ORDER BY learned.brand_id, learned.alias_id

-- List the joins of brands, in force, that the barcodes no longer show.
--
-- Called by   include/catalogue/brands.py
-- Parameters  products_min integer: products that have to show it
-- Reads       core.brand_alias, ops.brand_pair, ops.match_decision
-- Run again   same result until a barcode changes

SELECT decision.decision_id
  FROM ops.match_decision AS decision
  JOIN ops.brand_pair AS pair USING (decision_id)
  LEFT JOIN core.brand_alias AS learned
       ON learned.brand_id = pair.left_brand_id AND learned.alias_id = pair.right_brand_id AND learned.products >= %(products_min)s
 WHERE decision.decided_via = 'brands' AND decision.ended_at IS NULL AND learned.brand_id IS NULL
 ORDER BY decision.decision_id

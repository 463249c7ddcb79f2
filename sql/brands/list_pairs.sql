-- List the pairs of brands that decisions in force join.
--
-- Called by   include/catalogue/brands.py
-- Reads       ops.match_decision, ops.brand_pair, core.brand
-- Run again   same result

SELECT pair.left_brand_id, one.folded AS left_folded, pair.right_brand_id, other.folded AS right_folded
  FROM ops.brand_pair AS pair
  JOIN ops.match_decision AS decision USING (decision_id)
  JOIN core.brand AS one ON one.brand_id = pair.left_brand_id
  JOIN core.brand AS other ON other.brand_id = pair.right_brand_id
 WHERE decision.choice = 'join' AND decision.ended_at IS NULL
 ORDER BY pair.left_brand_id, pair.right_brand_id

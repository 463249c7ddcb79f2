-- List the pairs of brands that barcodes show on the same goods, and that are neither joined nor were undone by a person.
--
-- Called by   include/catalogue/brands.py
-- Parameters  products_min integer: products that have to show it
-- Reads       core.brand_alias, core.brand, ops.brand_pair, ops.match_decision
-- Run again   same result until a pair is decided

SELECT learned.brand_id, brand.folded, learned.alias_id, alias.folded AS alias_folded, learned.products, array_to_string(learned.gtins, ',') AS gtins
  FROM core.brand_alias AS learned
  JOIN core.brand AS brand ON brand.brand_id = learned.brand_id
  JOIN core.brand AS alias ON alias.brand_id = learned.alias_id
 WHERE learned.products >= %(products_min)s
   AND NOT EXISTS (SELECT
                     FROM ops.brand_pair AS known
                     JOIN ops.match_decision AS decision USING (decision_id)
                    WHERE known.left_brand_id = learned.brand_id AND known.right_brand_id = learned.alias_id
                      AND decision.ended_via IS DISTINCT FROM 'reconciliation')
 ORDER BY learned.brand_id, learned.alias_id

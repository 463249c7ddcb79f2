-- Record that pairs of brands are one: a decision each.
--
-- Called by   include/catalogue/brands.py
-- Parameters  brand_ids, alias_ids, products integer[], gtins text[] (barcodes with commas between them): one each; now timestamptz
-- Reads       ops.brand_pair, ops.match_decision
-- Writes      ops.match_decision, ops.brand_pair
-- Run again   nothing written: a pair is joined once, and not again after a person undid it

WITH learned AS MATERIALIZED (
    SELECT found.*, nextval(pg_get_serial_sequence('ops.match_decision', 'decision_id')) AS decision_id
      FROM (SELECT *
              FROM unnest(%(brand_ids)s::integer[], %(alias_ids)s::integer[], %(products)s::integer[], %(gtins)s::text[]) AS pair (brand_id, alias_id, products, gtins)
             WHERE NOT EXISTS (SELECT
                                 FROM ops.brand_pair AS known
                                 JOIN ops.match_decision AS decision USING (decision_id)
                                WHERE known.left_brand_id = pair.brand_id AND known.right_brand_id = pair.alias_id
                                  AND decision.ended_via IS DISTINCT FROM 'reconciliation')
             ORDER BY brand_id, alias_id) AS found
), decided AS (
    INSERT INTO ops.match_decision (decision_id, kind, choice, decided_by, decision_reason, decided_via, evidence, decided_at)
    OVERRIDING SYSTEM VALUE
    SELECT decision_id, 'brand', 'join', 'aisleflow', 'retailers give them to the same barcodes', 'brands', jsonb_build_object('products', products, 'gtins', string_to_array(gtins, ',')), %(now)s
      FROM learned
     ORDER BY decision_id
)
INSERT INTO ops.brand_pair (decision_id, left_brand_id, right_brand_id)
SELECT decision_id, brand_id, alias_id FROM learned ORDER BY decision_id

-- Record decisions about barcode conflicts, with what was before.
--
-- Called by   include/catalogue/conflicts.py
-- Parameters  conflict_ids bigint[]; choices text[]: one each; by text; reason text; via text; now timestamptz
-- Reads       core.sku_barcode, core.sku, core.product_barcode
-- Writes      ops.barcode_decision; returns the conflicts with the numbers of their decisions
-- Run again   nothing written: a conflict has one decision in force

WITH chosen AS MATERIALIZED (
    SELECT * FROM unnest(%(conflict_ids)s::bigint[], %(choices)s::text[]) AS chosen (claim_id, choice)
), decided AS MATERIALIZED (
    SELECT claim_id, sku_key, gtin FROM core.sku_barcode WHERE claim_id = ANY (ARRAY(SELECT claim_id FROM chosen))
), near AS MATERIALIZED (
    SELECT sku_key, gtin FROM core.sku_barcode WHERE gtin = ANY (ARRAY(SELECT gtin FROM decided))
     UNION
    SELECT sku_key, gtin FROM core.sku_barcode WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM decided))
), claim_near AS (
    SELECT decided.claim_id, near.sku_key, near.gtin FROM decided JOIN near USING (gtin)
     UNION
    SELECT decided.claim_id, near.sku_key, near.gtin FROM decided JOIN near USING (sku_key)
), claims AS (  -- as in resolution/reopen_decisions
    SELECT claim_id, md5(string_agg(sku_key || ' ' || gtin, ',' ORDER BY sku_key, gtin)) AS hash FROM claim_near GROUP BY claim_id
)
INSERT INTO ops.barcode_decision (claim_id, sku_key, gtin, choice, decided_by, decision_reason, decided_via, decided_at, before, claims_hash)
SELECT claim.claim_id, claim.sku_key, claim.gtin, chosen.choice, %(by)s, %(reason)s, %(via)s, %(now)s,
       jsonb_build_object('refused_because', claim.refused_because, 'product_id', sku.product_id, 'joined_by', sku.joined_by, 'match_evidence', sku.match_evidence,
                          'owner_product_id', owner.product_id),
       claims.hash
  FROM chosen
  JOIN core.sku_barcode AS claim USING (claim_id)
  JOIN core.sku AS sku USING (sku_key)
  JOIN claims USING (claim_id)
  LEFT JOIN core.product_barcode AS owner ON owner.gtin = claim.gtin
 ORDER BY claim.claim_id
    ON CONFLICT (claim_id) WHERE ended_at IS NULL DO NOTHING
RETURNING claim_id, decision_id

-- Open decided conflicts again: a claim to the barcode or a barcode of the SKU came or went, or a SKU moves to or from one of the two products.
--
-- Called by   include/catalogue/regroup.py, when products are chosen and before SKUs move
-- Parameters  now timestamptz; decided bigint[]: conflicts decided in this transaction; decisions about the same barcodes stay
-- Reads       judged, placed, core.sku (the products before), core.sku_barcode
-- Writes      ops.barcode_decision
-- Run again   nothing written

WITH decided AS MATERIALIZED (
    SELECT decision.decision_id, decision.sku_key, decision.gtin, decision.claims_hash
      FROM ops.barcode_decision AS decision
      JOIN judged USING (sku_key, gtin)
     WHERE decision.ended_at IS NULL AND decision.reopened_at IS NULL 
       AND decision.gtin <> ALL (ARRAY(SELECT gtin FROM core.sku_barcode WHERE claim_id = ANY (%(decided)s)))
), claim AS (
    SELECT decision_id, judged.sku_key, judged.gtin FROM decided JOIN judged USING (gtin)
     UNION
    SELECT decision_id, judged.sku_key, judged.gtin FROM decided JOIN judged USING (sku_key)
), claims AS (
    SELECT decision_id, md5(string_agg(sku_key || ' ' || gtin, ',' ORDER BY sku_key, gtin)) AS hash FROM claim GROUP BY decision_id
), side AS (
    SELECT decided.decision_id, placed.product_id FROM decided JOIN placed USING (sku_key)
     UNION
    SELECT decided.decision_id, owner.product_id
      FROM decided
      JOIN judged AS accepted ON accepted.gtin = decided.gtin AND accepted.refused_because IS NULL
      JOIN placed AS owner ON owner.sku_key = accepted.sku_key
), moved AS MATERIALIZED (
    SELECT placed.product_id, sku.product_id AS from_product_id
      FROM placed
      JOIN core.sku AS sku USING (sku_key)
     WHERE sku.product_id <> placed.product_id
), merged AS (
    SELECT side.decision_id FROM side JOIN (SELECT product_id FROM moved UNION SELECT from_product_id FROM moved) AS touched USING (product_id)
), found AS (
    SELECT decided.decision_id,
           CASE WHEN decided.claims_hash <> claims.hash THEN 'claim' WHEN decided.decision_id IN (SELECT decision_id FROM merged) THEN 'merge' END AS because
      FROM decided
      JOIN claims USING (decision_id)
)
UPDATE ops.barcode_decision AS decision
   SET reopened_because = found.because, reopened_at = %(now)s
  FROM found
 WHERE decision.decision_id = found.decision_id AND found.because IS NOT NULL

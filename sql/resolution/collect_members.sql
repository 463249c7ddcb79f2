-- Collect the changed SKUs, and those of released store-days with new numbers.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  file_ids bigint[]: the store-days of this resolution
-- Reads       changed_identity, changed_barcode, ops.match_decision, ops.match_pair
-- Writes      member   temporary; one row per SKU that is grouped again; round 0
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS member ON COMMIT DROP AS
SELECT sku_key, 0 AS round
  FROM (SELECT sku_key FROM changed_identity
         UNION
        SELECT sku_key FROM changed_barcode
         UNION
        SELECT unnest(ARRAY[pair.left_sku_key, pair.right_sku_key])
          FROM ops.match_decision AS decision
          JOIN ops.match_pair AS pair USING (decision_id)
         WHERE decision.file_id = ANY (%(file_ids)s) AND pair.ended_at IS NULL) AS changed

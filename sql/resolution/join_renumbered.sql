-- Record that the renumbered SKUs of released store-days are their vanished ones: one decision per store-day.
--
-- Called by   include/catalogue/resolve.py, when the unknown SKUs have their keys
-- Parameters  file_ids bigint[]; now timestamptz
-- Reads       ops.staged_file, ops.data_quality_result, ops.renumbered_sku, core.sku, pending
-- Writes      ops.match_decision, ops.match_pair
-- Run again   nothing written: a store-day is decided about once

WITH released AS MATERIALIZED (
    SELECT found.*, nextval(pg_get_serial_sequence('ops.match_decision', 'decision_id')) AS decision_id
      FROM (SELECT file.file_id, file.retailer, file.store_id, file.decided_by, file.decision_reason
              FROM ops.staged_file AS file
              JOIN ops.data_quality_result AS held ON held.file_id = file.file_id AND held.rule_id = 'renumbered' AND NOT held.is_passed
             WHERE file.file_id = ANY (%(file_ids)s) AND file.decided_by IS NOT NULL
               AND EXISTS (SELECT FROM ops.renumbered_sku AS pair WHERE pair.file_id = file.file_id)
               AND NOT EXISTS (SELECT FROM ops.match_decision AS known WHERE known.file_id = file.file_id)
             ORDER BY file.file_id) AS found
), number AS MATERIALIZED (
    SELECT retailer, sku, sku_key FROM core.sku WHERE retailer = ANY (ARRAY(SELECT retailer FROM released))
     UNION ALL
    SELECT retailer, sku, sku_key FROM pending
), decided AS (
    INSERT INTO ops.match_decision (decision_id, kind, choice, decided_by, decision_reason, decided_via, evidence, decided_at, file_id)
    OVERRIDING SYSTEM VALUE
    SELECT decision_id, 'sku', 'join', decided_by, decision_reason, 'release', jsonb_build_object('retailer', retailer, 'store_id', store_id), %(now)s, file_id
      FROM released
     ORDER BY decision_id
)
INSERT INTO ops.match_pair (decision_id, choice, left_sku_key, right_sku_key)
SELECT released.decision_id, 'join', least(vanished.sku_key, renewed.sku_key), greatest(vanished.sku_key, renewed.sku_key)
  FROM released
  JOIN ops.renumbered_sku AS pair USING (file_id)
  JOIN number AS vanished ON vanished.retailer = released.retailer AND vanished.sku = pair.old_sku
  JOIN number AS renewed ON renewed.retailer = released.retailer AND renewed.sku = pair.new_sku
 WHERE pair.file_id = ANY (%(file_ids)s) AND vanished.sku_key <> renewed.sku_key
 ORDER BY 1, 3, 4
    ON CONFLICT DO NOTHING

-- List held store-days for an alert, with the reason and the rules that hold them.
--
-- Called by   include/alerts/alerts.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file, ops.data_quality_result (store-day and retailer rules that did not pass)
-- Run again   same result while the ledger is the same

SELECT file.file_id, file.retailer, file.store_id, file.night, file.rows, file.state, file.state_reason, file.manifest,
       coalesce(failed.rules, '[]') AS rules, coalesce(failed.rule_ids, '{}') AS rule_ids
  FROM ops.staged_file AS file
  LEFT JOIN (SELECT file_id, jsonb_agg(jsonb_build_object('rule_id', rule_id, 'scope', scope, 'failed', failed, 'checked', checked, 'detail', detail) ORDER BY rule_id) AS rules,
                    array_agg(rule_id ORDER BY rule_id) AS rule_ids
               FROM ops.data_quality_result
              WHERE file_id = ANY (%(file_ids)s) AND scope <> 'row' AND severity = 'critical' AND NOT is_passed
              GROUP BY file_id) AS failed USING (file_id)
 WHERE file.file_id = ANY (%(file_ids)s)
 ORDER BY file.retailer, file.night, file.store_id, file.file_id

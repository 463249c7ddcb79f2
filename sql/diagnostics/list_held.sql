-- Store-days as an alert names them: what they are, why they are held, which rules hold them.
--
-- Called by   include/alerts/alerts.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file, ops.data_quality_result (store-day and retailer rules that did not pass)
-- Run again   same answer while the ledger is the same

SELECT file.file_id, file.retailer, file.store_id, file.night, file.rows, file.state, file.state_reason, file.manifest,
       coalesce((SELECT jsonb_agg(jsonb_build_object('rule_id', result.rule_id, 'scope', result.scope, 'failed', result.failed,
                                                     'checked', result.checked, 'detail', result.detail) ORDER BY result.rule_id)
                   FROM ops.data_quality_result AS result
                  WHERE result.file_id = file.file_id AND result.scope <> 'row' AND result.severity = 'critical' AND NOT result.is_passed),
                '[]') AS rules
  FROM ops.staged_file AS file
 WHERE file.file_id = ANY (%(file_ids)s)
 ORDER BY file.retailer, file.night, file.store_id, file.file_id

-- Record the results of the store-level and retailer-level rules: one per store-day and rule.
--
-- Called by   include/ingestion/checks/recording.py
-- Parameters  check_id bigint; file_ids bigint[]; rule_ids, scopes, severities, details text[]; checked, failed integer[] (all parallel); now timestamptz
-- Writes      ops.data_quality_result
-- Run again   same rows: they are rewritten

INSERT INTO ops.data_quality_result (file_id, rule_id, scope, severity, is_passed, checked, failed, detail, check_id, checked_at)
SELECT found.file_id, found.rule_id, found.scope, found.severity, found.failed = 0, found.checked, found.failed, found.detail, %(check_id)s, %(now)s
  FROM unnest(%(file_ids)s::bigint[], %(rule_ids)s::text[], %(scopes)s::text[], %(severities)s::text[], %(checked)s::integer[], %(failed)s::integer[], %(details)s::text[])
       AS found (file_id, rule_id, scope, severity, checked, failed, detail)
    ON CONFLICT (file_id, rule_id) DO UPDATE
   SET scope = excluded.scope, severity = excluded.severity, is_passed = excluded.is_passed, checked = excluded.checked, failed = excluded.failed,
       detail = excluded.detail, check_id = excluded.check_id, checked_at = excluded.checked_at

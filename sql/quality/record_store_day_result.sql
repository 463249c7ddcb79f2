-- Keep the result of one store-level rule for one store-day.
--
-- Called by   include/quality/gate.py
-- Parameters  file_id bigint; rule_id, detail text; checked, failed integer; now timestamptz
-- Writes      ops.data_quality_result
-- Run again   same rows: one is rewritten

INSERT INTO ops.data_quality_result (file_id, rule_id, scope, severity, is_passed, checked, failed, detail, checked_at)
VALUES (%(file_id)s, %(rule_id)s, 'store_day', 'critical', %(failed)s = 0, %(checked)s, %(failed)s, %(detail)s, %(now)s)
    ON CONFLICT (file_id, rule_id) DO UPDATE
   SET is_passed = excluded.is_passed, checked = excluded.checked, failed = excluded.failed, detail = excluded.detail, checked_at = excluded.checked_at

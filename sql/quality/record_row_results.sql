-- Keep, per store-day and row rule, how many lines break it, and the first of them.
--
-- Called by   include/ingestion/checks/recording.py, after lines are marked
-- Parameters  check_id bigint; rule_ids, severities text[] (parallel); now timestamptz
-- Reads       broken_line, ops.staged_file
-- Writes      ops.data_quality_result   rules that found something
-- Run again   same rows: they are rewritten

INSERT INTO ops.data_quality_result AS known (file_id, rule_id, scope, severity, is_passed, checked, failed, detail, check_id, checked_at)
SELECT found.file_id, found.rule_id, 'row', rule.severity, false, file.rows, found.lines, found.detail, %(check_id)s, %(now)s
  FROM (SELECT line.file_id, broken.rule_id, count(*)::integer AS lines,
               CASE count(*) WHEN 1 THEN 'line ' ELSE 'lines ' END || array_to_string((array_agg(line.line_number ORDER BY line.line_number))[1:3], ', ')
               || CASE WHEN count(*) > 3 THEN ' …' ELSE '' END AS detail
          FROM broken_line AS line
         CROSS JOIN LATERAL unnest(line.reasons || line.warnings) AS broken (rule_id)
         GROUP BY line.file_id, broken.rule_id) AS found
  JOIN unnest(%(rule_ids)s::text[], %(severities)s::text[]) AS rule (rule_id, severity) USING (rule_id)
  JOIN ops.staged_file AS file USING (file_id)
    ON CONFLICT (file_id, rule_id) DO UPDATE
   SET failed = excluded.failed, checked = excluded.checked, is_passed = false, severity = excluded.severity, detail = excluded.detail,
       check_id = excluded.check_id, checked_at = excluded.checked_at

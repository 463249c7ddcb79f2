-- Record per store-day and row rule the number of lines that break it, and the first of them.
--
-- Called by   include/ingestion/checks/recording.py, after lines are marked
-- Parameters  check_id bigint; rule_ids, severities text[] (parallel); now timestamptz
-- Reads       broken_line, ops.staged_file
-- Writes      ops.data_quality_result   broken rules
-- Run again   same rows: they are rewritten

INSERT INTO ops.data_quality_result AS known (file_id, rule_id, scope, severity, is_passed, checked, failed, detail, check_id, checked_at)
SELECT found.file_id, found.rule_id, 'row', rule.severity, false, (SELECT file.rows FROM ops.staged_file AS file WHERE file.file_id = found.file_id), found.lines, found.detail, %(check_id)s, %(now)s
  FROM (SELECT line.file_id, line.rule_id, count(*)::integer AS lines,
               CASE count(*) WHEN 1 THEN 'line ' ELSE 'lines ' END || array_to_string((array_agg(line.line_number ORDER BY line.line_number))[1:3], ', ')
               || CASE WHEN count(*) > 3 THEN ' …' ELSE '' END AS detail
          FROM (SELECT file_id, line_number, unnest(reasons || warnings) AS rule_id FROM broken_line) AS line
         GROUP BY line.file_id, line.rule_id) AS found
  JOIN unnest(%(rule_ids)s::text[], %(severities)s::text[]) AS rule (rule_id, severity) USING (rule_id)
    ON CONFLICT (file_id, rule_id) DO UPDATE
   SET failed = excluded.failed, checked = excluded.checked, is_passed = false, severity = excluded.severity, detail = excluded.detail,
       check_id = excluded.check_id, checked_at = excluded.checked_at

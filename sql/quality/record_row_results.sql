-- Keep, per store-day and row rule, how many lines break it.
--
-- Called by   include/quality/gate.py, after lines are marked
-- Parameters  file_ids bigint[]; rule_ids, severities text[] (parallel); now timestamptz
-- Reads       staging.offer (reasons; warnings stand there too, in barcode_note)
-- Writes      ops.data_quality_result   rules that found something
-- Run again   same rows: they are rewritten

INSERT INTO ops.data_quality_result AS known (file_id, rule_id, scope, severity, is_passed, checked, failed, detail, checked_at)
SELECT found.file_id, found.rule_id, 'row', rule.severity, false, file.rows, found.lines, NULL, %(now)s
  FROM (SELECT file_id, unnest(reasons) AS rule_id, count(*)::integer AS lines
          FROM staging.offer
         WHERE file_id = ANY (%(file_ids)s) AND reasons IS NOT NULL
         GROUP BY 1, 2
         UNION ALL
        SELECT file_id, 'barcode_dropped', count(*)::integer
          FROM staging.offer
         WHERE file_id = ANY (%(file_ids)s) AND barcode_note IS NOT NULL
         GROUP BY 1) AS found
  JOIN unnest(%(rule_ids)s::text[], %(severities)s::text[]) AS rule (rule_id, severity) USING (rule_id)
  JOIN ops.staged_file AS file USING (file_id)
    ON CONFLICT (file_id, rule_id) DO UPDATE
   SET failed = excluded.failed, checked = excluded.checked, is_passed = false, severity = excluded.severity, checked_at = excluded.checked_at

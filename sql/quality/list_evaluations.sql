-- List the suite's validation results of the newest checks, with the first lines that break each rule.
--
-- Called by   include/ingestion/checks/data_docs.py
-- Reads       ops.quality_check, ops.data_quality_result, ops.staged_file
-- Run again   same result until the next check

SELECT kept.check_id, kept.retailer, kept.nights, kept.checked_at, kept.evaluation, coalesce(sample.samples, '{}') AS samples
  FROM ops.quality_check AS kept
  LEFT JOIN LATERAL (SELECT jsonb_object_agg(rule_id, sample) AS samples
                       FROM (SELECT result.rule_id, string_agg(format('store %%s, file %%s: %%s', (SELECT file.store_id FROM ops.staged_file AS file WHERE file.file_id = result.file_id), result.file_id, result.detail), '; ' ORDER BY result.file_id)
                                    || CASE WHEN max(result.files) > 3 THEN format('; and %%s files more', max(result.files) - 3) ELSE '' END AS sample
                               FROM (SELECT r.*, row_number() OVER by_rule AS nth, count(*) OVER (PARTITION BY r.rule_id) AS files
                                       FROM ops.data_quality_result AS r
                                      WHERE r.check_id = kept.check_id AND r.scope = 'row' AND NOT r.is_passed  -- always true for these, and matches the index
                                     WINDOW by_rule AS (PARTITION BY r.rule_id ORDER BY r.file_id)) AS result
                              WHERE result.nth <= 3
                              GROUP BY result.rule_id) AS by_rule) AS sample ON true
 WHERE kept.evaluation IS NOT NULL
 ORDER BY kept.checked_at DESC, kept.check_id DESC

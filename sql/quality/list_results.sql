-- List the check results of the store-days of one night: holding rules first, then refused lines, then warnings.
--
-- Called by   include/ingestion/checks/results.py
-- Parameters  retailer text (null = all); night date; is_all boolean: passed rules too
-- Reads       ops.quality_result, ops.staged_file
-- Run again   same result until the next check

SELECT retailer, store_id, file_id, state, scope, rule_id, severity, is_passed, is_holding, checked, failed, detail, check_id, checked_at
  FROM ops.quality_result
 WHERE file_id = ANY (ARRAY(SELECT file.file_id FROM ops.staged_file AS file WHERE file.night = %(night)s)) AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s) AND (%(is_all)s OR NOT is_passed)
 ORDER BY is_passed, retailer, array_position('{critical,refuse,warning}', severity), array_position('{retailer,store_day,row}', scope), store_id, file_id, rule_id

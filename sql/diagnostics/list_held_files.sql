-- Held store-days, per retailer and night, with the rules that hold them.
--
-- Called by   include/alerts/alerts.py
-- Parameters  retailers text[]
-- Reads       ops.staged_file, ops.data_quality_result
-- Run again   same result while nothing is decided

SELECT file.file_id, file.retailer, file.night,
       coalesce((SELECT array_agg(result.rule_id ORDER BY result.rule_id) FROM ops.data_quality_result AS result
                  WHERE result.file_id = file.file_id AND result.scope <> 'row' AND result.severity = 'critical' AND NOT result.is_passed), '{}') AS rule_ids
  FROM ops.staged_file AS file
 WHERE state = 'held' AND retailer = ANY (%(retailers)s)
 ORDER BY retailer, night, file_id

-- Held store-days, per retailer and night, with the rules that hold them.
--
-- Called by   include/alerts/alerts.py
-- Parameters  retailers text[]
-- Reads       ops.staged_file, ops.data_quality_result
-- Run again   same result while nothing is decided

SELECT file_id, file.retailer, file.night,
       coalesce(failed.rule_ids, '{}') AS rule_ids
  FROM ops.staged_file AS file
  LEFT JOIN (SELECT file_id, array_agg(rule_id ORDER BY rule_id) AS rule_ids
               FROM ops.data_quality_result
              WHERE scope <> 'row' AND severity = 'critical' AND NOT is_passed
              GROUP BY file_id) AS failed USING (file_id)
 WHERE state = 'held' AND retailer = ANY (%(retailers)s)
 ORDER BY retailer, night, file_id

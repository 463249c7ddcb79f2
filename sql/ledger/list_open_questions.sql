-- List the open questions of a night: held store-days, with the rules that hold them, and refused files that are not acknowledged.
--
-- Called by   include/ledger/open_questions.py
-- Parameters  retailers text[]; night date
-- Reads       ops.staged_file, ops.data_quality_result
-- Run again   same result while nothing is decided

SELECT file_id, retailer, store_id, state, state_reason, rows,
       coalesce(failed.rule_ids, '{}') AS rule_ids
  FROM (SELECT * FROM ops.staged_file WHERE night = %(night)s OFFSET 0) AS file  -- by the night, never by all files of a retailer
  LEFT JOIN (SELECT file_id, array_agg(rule_id ORDER BY rule_id) AS rule_ids
               FROM ops.data_quality_result
              WHERE scope <> 'row' AND severity = 'critical' AND NOT is_passed
              GROUP BY file_id) AS failed USING (file_id)
 WHERE retailer = ANY (%(retailers)s) AND (state = 'held' OR state = 'refused' AND decided_by IS NULL)
 ORDER BY retailer, store_id, file_id

-- List files that passed this version of the catalogue, or were released, before a server crash deleted their staged lines.
--
-- Called by   include/ingestion/checks/gate.py
-- Parameters  file_ids bigint[]; version text
-- Reads       ops.staged_file, ops.data_quality_result, ops.quality_check
-- Run again   same result until the next check

SELECT file_id
  FROM ops.staged_file AS file
  JOIN ops.data_quality_result AS result USING (file_id)
  JOIN ops.quality_check AS done USING (check_id)
 WHERE file.file_id = ANY (%(file_ids)s) AND result.file_id = ANY (%(file_ids)s) AND done.catalogue_version = %(version)s
 GROUP BY file_id, file.decided_by
HAVING bool_or(result.scope = 'retailer') AND (file.decided_by IS NOT NULL OR bool_and(result.is_passed OR result.severity <> 'critical'))
 ORDER BY file_id

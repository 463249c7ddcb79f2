-- List the store-days that one check held only by a retailer-level rule.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint: one of them
-- Reads       ops.staged_file, ops.data_quality_result
-- Run again   same result while nothing is decided

WITH beside AS MATERIALIZED (
    SELECT file_id
      FROM ops.staged_file
     WHERE state = 'held' AND (retailer, checked_at) = (SELECT retailer, checked_at FROM ops.staged_file WHERE file_id = %(file_id)s)
)
SELECT file_id
  FROM ops.data_quality_result
 WHERE file_id = ANY (ARRAY(SELECT file_id FROM beside)) AND scope <> 'row' AND NOT is_passed AND severity = 'critical'
 GROUP BY file_id
HAVING bool_and(scope = 'retailer')
 ORDER BY file_id

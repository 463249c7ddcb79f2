-- List the check results of one file, broken rules first.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint
-- Reads       ops.data_quality_result
-- Run again   same result until the next check

SELECT file_id, rule_id, check_id, scope, severity, is_passed, checked, failed, detail, checked_at
  FROM ops.data_quality_result
 WHERE file_id = %(file_id)s
 ORDER BY is_passed, rule_id

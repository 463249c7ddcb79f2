-- The store-days that one check held together by a rule about the whole retailer, and by nothing else.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint: one of them
-- Reads       ops.staged_file, ops.data_quality_result
-- Run again   same answer while nothing is decided

SELECT file.file_id
  FROM ops.staged_file AS named
  JOIN ops.staged_file AS file ON file.retailer = named.retailer AND file.checked_at = named.checked_at AND file.state = 'held'
 WHERE named.file_id = %(file_id)s
   AND (SELECT bool_and(result.scope = 'retailer')
          FROM ops.data_quality_result AS result
         WHERE result.file_id = file.file_id AND result.scope <> 'row' AND NOT result.is_passed AND result.severity = 'critical')
 ORDER BY file.file_id

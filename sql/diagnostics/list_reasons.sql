-- Why lines were refused, per retailer, commonest first.
--
-- Called by   include/diagnostics/ingest_summary.py
-- Parameters  file_ids bigint[] (null = any); night date (null = any)
-- Reads       ops.quarantined_offer, ops.staged_file
-- Run again   same answer while nothing is decided

SELECT file.retailer, reason.rule_id, count(*)::integer AS lines
  FROM ops.quarantined_offer AS line
  JOIN ops.staged_file AS file USING (file_id)
 CROSS JOIN LATERAL unnest(line.reasons) AS reason (rule_id)
 WHERE (%(file_ids)s::bigint[] IS NULL OR file_id = ANY (%(file_ids)s)) AND (%(night)s::date IS NULL OR file.night = %(night)s)
 GROUP BY 1, 2
 ORDER BY 1, 3 DESC, 2

-- Count refused lines by retailer and reason, most frequent first.
--
-- Called by   include/diagnostics/ingest_summary.py
-- Parameters  file_ids bigint[] (null = any); night date (null = any)
-- Reads       ops.quarantined_offer, ops.staged_file
-- Run again   same result while nothing is decided

SELECT line.retailer, line.rule_id, count(*)::integer AS lines
  FROM (SELECT retailer, file_id, unnest(reasons) AS rule_id FROM ops.quarantined_offer
         WHERE (%(file_ids)s::bigint[] IS NULL OR file_id = ANY (%(file_ids)s))
           AND (%(night)s::date IS NULL OR file_id = ANY (ARRAY(SELECT file.file_id FROM ops.staged_file AS file WHERE file.night = %(night)s)))) AS line
 GROUP BY 1, 2
 ORDER BY 1, 3 DESC, 2

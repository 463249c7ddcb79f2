-- Sum the publishing counts of some files.
--
-- Called by   include/ingestion/isolation/steps.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file
-- Run again   same result while nothing is published

SELECT count(*) AS store_days, coalesce(sum(rows), 0) AS rows, coalesce(sum(created), 0) AS created, coalesce(sum(updated), 0) AS updated,
       coalesce(sum(unchanged), 0) AS unchanged, coalesce(sum(unavailable), 0) AS unavailable, coalesce(sum(outdated), 0) AS outdated,
       coalesce(sum(delisted), 0) AS delisted, coalesce(sum(folded), 0) AS folded, coalesce(sum(quarantined), 0) AS quarantined
  FROM ops.staged_file
 WHERE file_id = ANY (%(file_ids)s) AND published_at IS NOT NULL

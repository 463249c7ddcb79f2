-- Held store-days that no alert names.
--
-- Called by   include/alerts/troubles.py
-- Parameters  retailers text[]
-- Reads       ops.staged_file, ops.alert
-- Run again   same result until they are announced

SELECT file.file_id, file.retailer, file.night
  FROM ops.staged_file AS file
  LEFT JOIN (SELECT DISTINCT unnest(file_ids) AS file_id FROM ops.alert WHERE kind = 'held') AS named USING (file_id)
 WHERE file.state = 'held' AND file.retailer = ANY (%(retailers)s) AND named.file_id IS NULL
 ORDER BY file.retailer, file.night, file.file_id

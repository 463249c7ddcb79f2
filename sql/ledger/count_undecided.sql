-- Count the files that are neither published nor refused yet; files the database rejects count as decided.
--
-- Called by   include/cli/through_airflow.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file
-- Run again   same result while nothing is ingested

SELECT count(*)::integer AS files
  FROM ops.staged_file
 WHERE file_id = ANY (%(file_ids)s) AND state IN ('waiting', 'loaded') AND rejection IS NULL

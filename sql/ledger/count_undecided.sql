-- How many of some files are still to be published or refused; what the database rejects is decided for this run.
--
-- Called by   include/cli/through_airflow.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file
-- Run again   same answer while nothing is ingested

SELECT count(*)::integer AS files
  FROM ops.staged_file
 WHERE file_id = ANY (%(file_ids)s) AND state IN ('waiting', 'loaded') AND rejection IS NULL

-- Retailers and nights of some files.
--
-- Called by   include/cli/through_airflow.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file
-- Run again   same result

SELECT DISTINCT retailer, night FROM ops.staged_file WHERE file_id = ANY (%(file_ids)s) ORDER BY retailer, night

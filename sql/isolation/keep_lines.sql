-- Copy the staged lines of a store-day before the search.
--
-- Called by   include/ingestion/isolation/steps.py
-- Parameters  file_id bigint
-- Reads       staging.offer
-- Writes      dry_run_lines   temporary; one row per line
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS dry_run_lines ON COMMIT DROP AS
SELECT * FROM staging.offer WHERE file_id = %(file_id)s

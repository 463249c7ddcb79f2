-- List the lines of a store-day that are not folded.
--
-- Called by   include/ingestion/isolation/steps.py
-- Parameters  file_id bigint
-- Reads       staging.offer
-- Run again   same result

SELECT * FROM staging.offer WHERE file_id = %(file_id)s AND NOT is_folded ORDER BY line_number

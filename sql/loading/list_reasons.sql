-- The staged lines of a file with the rules that refuse each.
--
-- Called by   include/ingestion/release_lines.py
-- Parameters  file_id bigint
-- Reads       staging.offer
-- Run again   same result

SELECT line_number, reasons FROM staging.offer WHERE file_id = %(file_id)s ORDER BY line_number

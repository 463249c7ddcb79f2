-- Leave only some lines of a file in staging.
--
-- Called by   include/ingestion/release_lines.py
-- Parameters  file_id bigint; lines integer[]: those that stay
-- Writes      staging.offer   rows are deleted
-- Run again   nothing written

DELETE FROM staging.offer WHERE file_id = %(file_id)s AND NOT line_number = ANY (%(lines)s)

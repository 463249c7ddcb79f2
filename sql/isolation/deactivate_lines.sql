-- Take all lines of a store-day out of a step that is rehearsed.
--
-- Called by   include/ingestion/isolation/steps.py
-- Parameters  file_id bigint; is_check boolean
-- Writes      staging.offer   a check looks at every line of the file: the lines leave it, under its negative id; other steps leave folded lines alone: all are folded
-- Run again   same rows: rewritten with the values they have

UPDATE staging.offer
   SET file_id = CASE WHEN %(is_check)s THEN -file_id ELSE file_id END, is_folded = true, reasons = NULL
 WHERE file_id = %(file_id)s

-- Exclude all lines of a store-day from a dry run of a step.
--
-- Called by   include/ingestion/isolation/steps.py
-- Parameters  file_id bigint; is_check boolean
-- Writes      staging.offer   a check reads every line of the file, so the lines get its negative id; other steps skip folded lines, so all are folded
-- Run again   same rows: rewritten with the values they have

UPDATE staging.offer
   SET file_id = CASE WHEN %(is_check)s THEN -file_id ELSE file_id END, is_folded = true, reasons = NULL
 WHERE file_id = %(file_id)s

-- Write the ids of the refusing rules to every broken line.
--
-- Called by   include/ingestion/checks/marking.py
-- Reads       broken_line   temporary; one row per line that breaks a rule, or has reasons of an earlier check
-- Writes      staging.offer   reasons
-- Run again   nothing written

UPDATE staging.offer AS offer
   SET reasons = nullif(line.reasons, '{}')
  FROM broken_line AS line
 WHERE offer.file_id = line.file_id AND offer.line_number = line.line_number AND offer.reasons IS DISTINCT FROM nullif(line.reasons, '{}')

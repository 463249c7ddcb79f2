-- Count the lines that break each rule, warnings included.
--
-- Called by   include/ingestion/checks/marking.py
-- Reads       broken_line   temporary
-- Run again   same result

SELECT rule_id, count(*)::integer AS lines
  FROM broken_line
 CROSS JOIN LATERAL unnest(reasons || warnings) AS rule_id
 GROUP BY rule_id

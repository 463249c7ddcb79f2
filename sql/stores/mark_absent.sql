-- Count the absences of confirmed stores that a retailer's finder did not return, and close those that were absent too often.
--
-- Called by   include/crawling/discovery.py, after the found stores were merged
-- Parameters  retailer text; day date: Melbourne date of the discovery; absences_max integer; now timestamptz
-- Reads       discovered   temporary
-- Writes      core.store   absences, absent_on; closed_at once the last allowed absence is counted
-- Run again   nothing written: a day counts once

UPDATE core.store AS known
   SET absences = known.absences + 1, absent_on = %(day)s,
       closed_at = CASE WHEN known.absences + 1 >= %(absences_max)s THEN coalesce(known.closed_at, %(now)s) END
 WHERE known.retailer = %(retailer)s AND known.is_confirmed
   AND (known.absent_on IS NULL OR known.absent_on < %(day)s)
   AND NOT EXISTS (SELECT FROM discovered AS found WHERE found.retailer = known.retailer AND found.store_id = known.store_id)

-- The newest publication of bargains: what core.bargain holds.
--
-- Called by   include/bargains/reading.py, include/bargains/arrivals.py, include/bargains/exporting.py
-- Parameters  night date: of this night only; null = the newest of all
-- Reads       ops.bargain_run
-- Run again   same result until the next publication

SELECT night, published_at, missing, products, compared, small, implausible, bargains
  FROM ops.bargain_run
 WHERE %(night)s::date IS NULL OR night = %(night)s
 ORDER BY published_at DESC, night DESC
 LIMIT 1

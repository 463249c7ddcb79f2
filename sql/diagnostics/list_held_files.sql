-- Held store-days, per retailer and night.
--
-- Called by   include/alerts/alerts.py
-- Parameters  retailers text[]
-- Reads       ops.staged_file
-- Run again   same result while nothing is decided

SELECT file_id, retailer, night, state_reason
  FROM ops.staged_file
 WHERE state = 'held' AND retailer = ANY (%(retailers)s)
 ORDER BY retailer, night, file_id

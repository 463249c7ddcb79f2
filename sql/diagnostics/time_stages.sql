-- Compute the duration of each stage of a retailer's night from the ledger's times.
--
-- Called by   include/diagnostics/night.py
-- Parameters  night date
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT retailer, min(registered_at) AS registered_at, max(loaded_at) AS loaded_at, max(checked_at) AS checked_at, max(published_at) AS published_at
  FROM ops.staged_file
 WHERE night = %(night)s AND retailer <> 'unknown'
 GROUP BY retailer
 ORDER BY retailer

-- How long each stage of a retailer's night took, by the books.
--
-- Called by   include/diagnostics/night.py
-- Parameters  night date
-- Reads       ops.staged_file
-- Run again   same answer while the ledger is the same

SELECT retailer, min(registered_at) AS registered_at, max(loaded_at) AS loaded_at, max(checked_at) AS checked_at, max(published_at) AS published_at
  FROM ops.staged_file
 WHERE night = %(night)s AND retailer <> 'unknown'
 GROUP BY retailer
 ORDER BY retailer

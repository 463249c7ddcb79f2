-- Retailers and nights of those of some files that were released and are not published yet.
--
-- Called by   include/ledger/held.py
-- Parameters  file_ids bigint[]
-- Reads       ops.staged_file
-- Run again   same result while nothing is published

SELECT DISTINCT retailer, night
  FROM ops.staged_file
 WHERE file_id = ANY (%(file_ids)s) AND state = 'loaded' AND decided_by IS NOT NULL
 ORDER BY retailer, night

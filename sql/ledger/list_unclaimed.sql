-- Retailers and nights with held store-days that no run of decide_held has claimed.
--
-- Called by   include/ledger/held.py
-- Parameters  retailers text[]
-- Reads       ops.staged_file
-- Run again   same result until a run claims them

SELECT DISTINCT retailer, night
  FROM ops.staged_file
 WHERE state = 'held' AND question_run_id IS NULL AND retailer = ANY (%(retailers)s)
 ORDER BY retailer, night

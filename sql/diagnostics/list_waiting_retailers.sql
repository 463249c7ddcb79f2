-- Retailers with a store-day of a night that is staged and not decided.
--
-- Called by   include/cli/night_run.py
-- Parameters  night date
-- Reads       ops.crawl_outcome, ops.staged_file
-- Run again   same result while nothing is ingested

SELECT DISTINCT retailer
  FROM ops.crawl_outcome AS outcome
 WHERE night = %(night)s AND manifest IS NOT NULL
   AND NOT EXISTS (SELECT FROM ops.staged_file AS file
                    WHERE file.retailer = outcome.retailer AND file.store_id = outcome.store_id AND file.run_key = outcome.run_key
                      AND file.state NOT IN ('waiting', 'loaded'))
 ORDER BY retailer

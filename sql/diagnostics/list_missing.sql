-- Planned stores of a night without a published store-day, and why.
--
-- Called by   include/diagnostics/night.py
-- Parameters  night date
-- Reads       ops.crawl_plan, ops.crawl_outcome, ops.staged_file
-- Run again   same result while nothing is published

SELECT plan.retailer, plan.store_id,
       coalesce(file.state, outcome.state, 'not crawled') AS state,
       coalesce(file.state_reason, outcome.reason) AS reason, file.file_id
  FROM ops.crawl_plan AS plan
  LEFT JOIN (SELECT DISTINCT ON (retailer, store_id) * FROM ops.crawl_outcome
              WHERE night = %(night)s
              ORDER BY retailer, store_id, finished_at DESC) AS outcome USING (retailer, store_id)
  LEFT JOIN (SELECT DISTINCT ON (retailer, store_id) retailer, store_id, file_id, state, state_reason FROM ops.staged_file
              WHERE night = %(night)s
              ORDER BY retailer, store_id, state = 'published' DESC, file_id DESC) AS file USING (retailer, store_id)
 WHERE plan.night = %(night)s AND plan.decision = 'crawl' AND coalesce(file.state, '') NOT IN ('published', 'superseded')
 ORDER BY plan.retailer, plan.position

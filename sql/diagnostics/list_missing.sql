-- Planned stores of a night without a published store-day, and their states.
--
-- Called by   include/diagnostics/night.py
-- Parameters  night date; now, crawl_until timestamptz: after crawl_until no crawl begins; store_time interval: longest crawl of a store
-- Reads       ops.crawl_plan, ops.crawl_outcome, ops.staged_file
-- Returns     state: that of the file (ops.staged_file), else that of the crawl (ops.crawl_outcome), else under_way (it runs, or may still begin),
--             interrupted (it began and ended without an outcome) or not_begun
-- Run again   same result while nothing is crawled or published, and no time limit passes

WITH planned AS (
    SELECT plan.retailer, plan.store_id, plan.position, file.file_id, coalesce(file.state_reason, outcome.reason) AS reason,
           CASE WHEN file.state IS NOT NULL THEN file.state
                WHEN plan.begun_at > coalesce(outcome.finished_at, '-infinity')
                THEN CASE WHEN plan.begun_at + %(store_time)s::interval > %(now)s::timestamptz THEN 'under_way' ELSE 'interrupted' END
                ELSE coalesce(outcome.state, 'not_begun') END AS state
      FROM ops.crawl_plan AS plan
      LEFT JOIN (SELECT DISTINCT ON (retailer, store_id) * FROM ops.crawl_outcome
                  WHERE night = %(night)s
                  ORDER BY retailer, store_id, finished_at DESC) AS outcome USING (retailer, store_id)
      LEFT JOIN (SELECT DISTINCT ON (retailer, store_id) retailer, store_id, file_id, state, state_reason FROM ops.staged_file
                  WHERE night = %(night)s
                  ORDER BY retailer, store_id, state = 'published' DESC, file_id DESC) AS file USING (retailer, store_id)
     WHERE plan.night = %(night)s AND plan.decision = 'crawl' AND coalesce(file.state, '') NOT IN ('published', 'superseded')
)
SELECT retailer, store_id,
       -- a store that waits behind one that runs is begun or deferred when that one ends
       CASE WHEN state = 'not_begun' AND (%(now)s < %(crawl_until)s::timestamptz OR bool_or(state = 'under_way') OVER (PARTITION BY retailer)) THEN 'under_way'
            ELSE state END AS state,
       reason, file_id
  FROM planned
 ORDER BY retailer, position

-- Whether the prices of a night are in, per retailer.
--
-- Called by   include/bargains/arrivals.py
-- Parameters  night date; retailers text[]
-- Reads       ops.crawl_plan, ops.crawl_outcome, ops.staged_file
-- Returns     state: in, under_way (a planned store has no outcome yet, or a store-day is not ingested), not_planned or nothing_published
-- Run again   same result while nothing is crawled or published

WITH planned AS (
    SELECT plan.retailer, count(*) AS stores, count(*) FILTER (WHERE outcome.store_id IS NULL) AS without_outcome
      FROM ops.crawl_plan AS plan
      LEFT JOIN (SELECT DISTINCT retailer, store_id FROM ops.crawl_outcome WHERE night = %(night)s) AS outcome USING (retailer, store_id)
     WHERE plan.night = %(night)s AND plan.decision = 'crawl'
     GROUP BY plan.retailer
), crawled AS (  -- store-days that no flow has registered yet
    SELECT outcome.retailer, count(*) AS waiting
      FROM ops.crawl_outcome AS outcome
     WHERE outcome.night = %(night)s AND outcome.manifest IS NOT NULL
       AND NOT EXISTS (SELECT FROM ops.staged_file AS file
                        WHERE file.retailer = outcome.retailer AND file.store_id = outcome.store_id AND file.run_key = outcome.run_key)
     GROUP BY outcome.retailer
), staged AS (
    SELECT retailer, count(*) FILTER (WHERE state IN ('waiting', 'loaded')) AS waiting, count(*) FILTER (WHERE is_past_store_day) AS published
      FROM ops.staged_file
     WHERE night = %(night)s
     GROUP BY retailer
)
SELECT retailer,
       CASE WHEN coalesce(planned.without_outcome, 0) + coalesce(crawled.waiting, 0) + coalesce(staged.waiting, 0) > 0 THEN 'under_way'
            WHEN staged.published > 0 THEN 'in'
            WHEN planned.stores IS NULL THEN 'not_planned'
            ELSE 'nothing_published' END AS state
  FROM unnest(%(retailers)s::text[]) AS wanted (retailer)
  LEFT JOIN planned USING (retailer)
  LEFT JOIN crawled USING (retailer)
  LEFT JOIN staged USING (retailer)
 ORDER BY retailer

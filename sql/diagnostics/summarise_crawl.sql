-- Summarise the crawl of a night per retailer.
--
-- Called by   include/diagnostics/night.py, include/cli/night_run.py
-- Parameters  night date
-- Reads       ops.crawl_plan, ops.crawl_outcome
-- Run again   same result while no crawl runs

SELECT plan.retailer,
       count(*) FILTER (WHERE decision = 'crawl')::integer AS planned,
       count(*) FILTER (WHERE decision = 'crawl' AND outcome.state = 'crawled')::integer AS crawled,
       count(*) FILTER (WHERE decision = 'crawl' AND outcome.state = 'crawled' AND NOT outcome.is_complete)::integer AS incomplete,
       count(*) FILTER (WHERE decision = 'crawl' AND outcome.state = 'failed')::integer AS failed,
       count(*) FILTER (WHERE decision = 'crawl' AND outcome.state = 'blocked')::integer AS blocked,
       count(*) FILTER (WHERE decision = 'deferred')::integer AS deferred,
       count(*) FILTER (WHERE decision = 'excluded')::integer AS excluded,
       coalesce(sum(outcome.requests), 0)::integer AS requests,
       min(outcome.started_at) AS crawl_started_at, max(outcome.finished_at) AS crawl_finished_at
  FROM ops.crawl_plan AS plan
  LEFT JOIN (SELECT DISTINCT ON (retailer, store_id) * FROM ops.crawl_outcome
              WHERE night = %(night)s
              ORDER BY retailer, store_id, finished_at DESC) AS outcome USING (retailer, store_id)
 WHERE plan.night = %(night)s
 GROUP BY plan.retailer
 ORDER BY plan.retailer

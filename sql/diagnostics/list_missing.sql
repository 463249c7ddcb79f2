-- Planned stores of a night without a published store-day, and why.
--
-- Called by   include/diagnostics/night.py
-- Parameters  night date
-- Reads       ops.crawl_plan, ops.crawl_outcome, ops.staged_file
-- Run again   same answer while nothing is published

SELECT plan.retailer, plan.store_id,
       coalesce(file.state, outcome.state, 'not crawled') AS state,
       coalesce(file.state_reason, outcome.reason) AS reason, file.file_id
  FROM ops.crawl_plan AS plan
  LEFT JOIN LATERAL (SELECT * FROM ops.crawl_outcome AS o
                      WHERE (o.night, o.retailer, o.store_id) = (plan.night, plan.retailer, plan.store_id)
                      ORDER BY o.finished_at DESC LIMIT 1) AS outcome ON true
  LEFT JOIN LATERAL (SELECT * FROM ops.staged_file AS f
                      WHERE (f.night, f.retailer, f.store_id) = (plan.night, plan.retailer, plan.store_id)
                      ORDER BY f.state = 'published' DESC, f.file_id DESC LIMIT 1) AS file ON true
 WHERE plan.night = %(night)s AND plan.decision = 'crawl' AND coalesce(file.state, '') NOT IN ('published', 'superseded')
 ORDER BY plan.retailer, plan.position

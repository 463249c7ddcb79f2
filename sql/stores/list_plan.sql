-- A night's plan of one retailer, in its order: what is crawled, deferred, excluded.
--
-- Called by   include/crawling/crawl_plan.py
-- Parameters  night date; retailer text
-- Reads       ops.crawl_plan, core.store
-- Run again   same result until the next plan

SELECT plan.position, plan.decision, plan.store_id, store.name, store.state, store.online_store_id, plan.cause, plan.reason
  FROM ops.crawl_plan AS plan
  JOIN core.store AS store USING (retailer, store_id)
 WHERE plan.night = %(night)s AND plan.retailer = %(retailer)s
 ORDER BY array_position(ARRAY['crawl', 'deferred', 'excluded'], plan.decision), plan.position

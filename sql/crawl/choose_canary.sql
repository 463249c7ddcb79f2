-- Choose the canary store of a run: a requested one, else the one with the latest complete crawl, else any that can be crawled.
--
-- Called by   include/crawling/canary.py
-- Parameters  retailer text; store_ids text[]: the operator's choice, or null
-- Reads       core.store
-- Run again   same result

SELECT store_id, name, state, online_store_id
  FROM core.store
 WHERE retailer = %(retailer)s
   AND CASE WHEN %(store_ids)s::text[] IS NULL THEN is_supermarket IS TRUE AND is_trading IS NOT FALSE ELSE store_id = ANY(%(store_ids)s::text[]) END
 ORDER BY complete_at DESC NULLS LAST, store_id
 LIMIT 1

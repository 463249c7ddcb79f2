-- Choose the store that opens a run: one asked for by name, else the one crawled whole last, else any that can be asked for.
--
-- Called by   include/crawling/canary.py
-- Parameters  retailer text; store_ids text[]: the operator's choice, or null
-- Reads       core.store
-- Run again   same answer

SELECT store_id, name, state, online_store_id
  FROM core.store
 WHERE retailer = %(retailer)s
   AND CASE WHEN %(store_ids)s::text[] IS NULL THEN is_supermarket IS TRUE AND is_trading IS NOT FALSE ELSE store_id = ANY(%(store_ids)s::text[]) END
 ORDER BY complete_at DESC NULLS LAST, store_id
 LIMIT 1

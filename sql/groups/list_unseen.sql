-- Retailers and nights with published store-days that the maintenance of groups has not looked at: their event was lost, or there was none.
--
-- Called by   include/groups/maintenance.py
-- Parameters  published_before timestamptz
-- Reads       core.store, core.store_group_member, ops.staged_file
-- Run again   same result

SELECT store.retailer, max(file.night) AS night, count(*) AS stores
  FROM core.store AS store
  JOIN ops.staged_file AS file ON file.file_id = store.complete_file_id
  LEFT JOIN core.store_group_member AS member ON member.store_key = store.store_key AND member.until_at IS NULL
 WHERE store.is_confirmed AND member.seen_file_id IS DISTINCT FROM store.complete_file_id AND file.published_at < %(published_before)s
 GROUP BY store.retailer
 ORDER BY store.retailer

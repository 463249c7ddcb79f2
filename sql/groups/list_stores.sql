-- The stores of a retailer in their groups, with what decides whether they may be compared.
--
-- Called by   include/groups/changes.py
-- Parameters  retailer text
-- Reads       core.store_group_member (present rows), core.store, ops.staged_file (the newest complete store-day of each)
-- Run again   same result

SELECT store.store_key, store.store_id, store.state, member.group_id, member.is_anchor, member.is_pinned,
       store.closed_at IS NULL AND store.is_trading IS NOT FALSE AND store.is_supermarket IS NOT FALSE AS is_open,
       store.complete_at, store.complete_file_id, file.last_observed_at, member.verified_file_id, member.seen_file_id
  FROM core.store_group_member AS member
  JOIN core.store AS store USING (store_key)
  LEFT JOIN ops.staged_file AS file ON file.file_id = store.complete_file_id
 WHERE store.retailer = %(retailer)s AND member.until_at IS NULL
 ORDER BY store.store_key

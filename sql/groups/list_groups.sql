-- The groups, the largest first.
--
-- Called by   include/groups/hand.py
-- Parameters  retailer text: null = all; stores_min integer: least number of stores
-- Reads       core.store_group, core.store_group_member (present rows), core.store
-- Run again   same result

SELECT grouped.retailer, grouped.group_id, anchor.store_id AS anchor, anchor.state, anchor.complete_at AS anchor_complete_at, count(*) AS stores,
       array_agg(DISTINCT coalesce(store.state, '?') ORDER BY coalesce(store.state, '?')) AS states,
       count(*) FILTER (WHERE NOT member.is_anchor AND member.verified_at IS NULL) AS unverified, count(member.flagged_at) AS flagged,
       min(member.verified_at) FILTER (WHERE NOT member.is_anchor) AS oldest_verified_at, bool_or(member.is_pinned) AS is_pinned
  FROM core.store_group AS grouped
  JOIN core.store_group_member AS member ON member.group_id = grouped.group_id AND member.until_at IS NULL
  JOIN core.store AS store ON store.store_key = member.store_key
  JOIN core.store_group_member AS leader ON leader.group_id = grouped.group_id AND leader.until_at IS NULL AND leader.is_anchor
  JOIN core.store AS anchor ON anchor.store_key = leader.store_key
 WHERE %(retailer)s::text IS NULL OR grouped.retailer = %(retailer)s
 GROUP BY grouped.retailer, grouped.group_id, anchor.store_id, anchor.state, anchor.complete_at
HAVING count(*) >= %(stores_min)s
 ORDER BY grouped.retailer, count(*) DESC, grouped.group_id

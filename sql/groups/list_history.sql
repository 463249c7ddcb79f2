-- The places of one store in groups, the newest first.
--
-- Called by   include/groups/hand.py
-- Parameters  retailer, store_id text
-- Reads       core.store_group_member, core.store
-- Run again   same result

SELECT member.since_at, member.until_at, member.group_id, anchor.store_id AS anchor, member.is_anchor, member.is_pinned, member.cause, member.reason, member.changed_by,
       member.verified_at, member.flagged_at
  FROM core.store_group_member AS member
  JOIN core.store AS store USING (store_key)
  LEFT JOIN core.store_group_member AS leader ON leader.group_id = member.group_id AND leader.is_anchor AND leader.until_at IS NULL AND member.until_at IS NULL
  LEFT JOIN core.store AS anchor ON anchor.store_key = leader.store_key
 WHERE store.retailer = %(retailer)s AND store.store_id = %(store_id)s
 ORDER BY member.membership_id DESC

-- Move stores out of their groups, each into a new group of its own. A store that is alone already stays.
--
-- Called by   include/groups/changes.py
-- Parameters  store_keys integer[]; reasons text[]: why, one per store; cause, changed_by text; now timestamptz
-- Reads       core.store
-- Writes      core.store_group   one row per store moved; core.store_group_member   the present row ends, a new one begins
--             core.inference_change, core.inference_end   by triggers
-- Run again   nothing written

WITH ended AS (
    UPDATE core.store_group_member AS member
       SET until_at = %(now)s
      FROM unnest(%(store_keys)s::integer[], %(reasons)s::text[]) AS leaving (store_key, reason)
      JOIN core.store AS store USING (store_key)
     WHERE member.store_key = leaving.store_key AND member.until_at IS NULL
       AND EXISTS (SELECT FROM core.store_group_member AS other
                    WHERE other.group_id = member.group_id AND other.until_at IS NULL AND other.store_key <> member.store_key)
    RETURNING member.store_key, store.retailer, leaving.reason, member.is_pinned, member.seen_file_id
), founded AS (
    INSERT INTO core.store_group (retailer, founder_store_key, created_at)
    SELECT retailer, store_key, %(now)s FROM ended ORDER BY store_key
    RETURNING group_id, founder_store_key
)
INSERT INTO core.store_group_member (store_key, group_id, is_anchor, is_pinned, cause, reason, changed_by, since_at, seen_file_id)
SELECT ended.store_key, founded.group_id, true, ended.is_pinned, %(cause)s, ended.reason, %(changed_by)s, %(now)s, ended.seen_file_id
  FROM ended
  JOIN founded ON founded.founder_store_key = ended.store_key

-- Pin a store, or release it.
--
-- Called by   include/groups/changes.py
-- Parameters  store_key integer; is_pinned boolean; reason, changed_by text; now timestamptz
-- Writes      core.store_group_member   the present row ends, a new one begins
--             core.inference_change, core.inference_end   by triggers
-- Run again   nothing written

WITH ended AS (
    UPDATE core.store_group_member
       SET until_at = %(now)s
     WHERE store_key = %(store_key)s AND until_at IS NULL AND is_pinned <> %(is_pinned)s
    RETURNING *
)
INSERT INTO core.store_group_member (store_key, group_id, is_anchor, is_pinned, cause, reason, changed_by, since_at, verified_at, verified_file_id, flagged_at, seen_file_id)
SELECT store_key, group_id, is_anchor, %(is_pinned)s, CASE WHEN %(is_pinned)s THEN 'pinned' ELSE 'unpinned' END, %(reason)s, %(changed_by)s, %(now)s, verified_at, verified_file_id,
       flagged_at, seen_file_id
  FROM ended

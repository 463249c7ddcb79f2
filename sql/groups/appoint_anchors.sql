-- Make members the anchors of their groups, which have lost theirs.
--
-- Called by   include/groups/changes.py, after the anchors were separated
-- Parameters  store_keys integer[]; reasons text[]: why, one per store; changed_by text; now timestamptz
-- Writes      core.store_group_member   the present row ends, a new one begins; the other members are to be verified against the new anchor
--             core.inference_change, core.inference_end   by triggers
-- Run again   nothing written

WITH ended AS (
    UPDATE core.store_group_member AS member
       SET until_at = %(now)s
      FROM unnest(%(store_keys)s::integer[], %(reasons)s::text[]) AS appointed (store_key, reason)
     WHERE member.store_key = appointed.store_key AND member.until_at IS NULL AND NOT member.is_anchor
       AND NOT EXISTS (SELECT FROM core.store_group_member AS anchor
                        WHERE anchor.group_id = member.group_id AND anchor.until_at IS NULL AND anchor.is_anchor)
    RETURNING member.store_key, member.group_id, appointed.reason, member.is_pinned, member.seen_file_id
), unverified AS (
    UPDATE core.store_group_member AS member
       SET verified_at = NULL, verified_file_id = NULL
      FROM ended
     WHERE member.group_id = ended.group_id AND member.until_at IS NULL AND member.store_key <> ended.store_key
)
INSERT INTO core.store_group_member (store_key, group_id, is_anchor, is_pinned, cause, reason, changed_by, since_at, seen_file_id)
SELECT store_key, group_id, true, is_pinned, 'appointed', reason, %(changed_by)s, %(now)s, seen_file_id FROM ended

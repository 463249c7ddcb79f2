-- Merge groups whose anchors match: the stores of the right store's group join the left store's group.
--
-- Called by   include/groups/maintenance.py
-- Parameters  comparison_ids bigint[]: matches in which no store that stays also joins another; changed_by text; now timestamptz
-- Reads       ops.store_comparison, core.store
-- Writes      core.store_group_member   the present rows of the joining stores end, new ones begin
--             core.inference_change, core.inference_end   by triggers
-- Run again   nothing written
--
-- A match counts while both stores are anchors, no store of their groups is pinned, and the compared store-days are still their newest.

WITH joining AS (
    SELECT stays.group_id AS group_id, joins.group_id AS from_group_id, comparison.right_store_key, comparison.right_file_id, right_store.complete_at,
           format('%%s of %%s common products cost the same as in store %%s (price week of %%s)', comparison.equal, comparison.common, left_store.store_id, comparison.price_week) AS reason
      FROM ops.store_comparison AS comparison
      JOIN core.store AS left_store ON left_store.store_key = comparison.left_store_key AND left_store.complete_file_id = comparison.left_file_id
      JOIN core.store AS right_store ON right_store.store_key = comparison.right_store_key AND right_store.complete_file_id = comparison.right_file_id
      JOIN core.store_group_member AS stays ON stays.store_key = comparison.left_store_key AND stays.until_at IS NULL AND stays.is_anchor
      JOIN core.store_group_member AS joins ON joins.store_key = comparison.right_store_key AND joins.until_at IS NULL AND joins.is_anchor
     WHERE comparison.comparison_id = ANY (%(comparison_ids)s::bigint[]) AND comparison.is_match
       AND NOT EXISTS (SELECT FROM core.store_group_member AS pinned WHERE pinned.group_id = stays.group_id AND pinned.until_at IS NULL AND pinned.is_pinned)
       AND NOT EXISTS (SELECT FROM core.store_group_member AS pinned WHERE pinned.group_id = joins.group_id AND pinned.until_at IS NULL AND pinned.is_pinned)
), ended AS (
    UPDATE core.store_group_member AS member
       SET until_at = %(now)s
      FROM joining
     WHERE member.group_id = joining.from_group_id AND member.until_at IS NULL
    RETURNING member.store_key, joining.group_id, joining.right_store_key, joining.right_file_id, joining.complete_at, joining.reason, member.seen_file_id
)
INSERT INTO core.store_group_member (store_key, group_id, is_anchor, cause, reason, changed_by, since_at, verified_at, verified_file_id, seen_file_id)
SELECT store_key, group_id, false, 'merged', reason, %(changed_by)s, %(now)s,
       CASE WHEN store_key = right_store_key THEN complete_at END, CASE WHEN store_key = right_store_key THEN right_file_id END, seen_file_id
  FROM ended

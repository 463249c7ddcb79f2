-- Record up to which complete store-day of each store the groups were maintained.
--
-- Called by   include/groups/maintenance.py
-- Parameters  store_keys integer[]; file_ids bigint[]: null for a store without a complete store-day
-- Writes      core.store_group_member   seen_file_id of present rows
-- Run again   nothing written

UPDATE core.store_group_member AS member
   SET seen_file_id = seen.file_id
  FROM unnest(%(store_keys)s::integer[], %(file_ids)s::bigint[]) AS seen (store_key, file_id)
 WHERE member.store_key = seen.store_key AND member.until_at IS NULL AND member.seen_file_id IS DISTINCT FROM seen.file_id

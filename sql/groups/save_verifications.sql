-- Record that the own prices of members match their anchors'.
--
-- Called by   include/groups/maintenance.py
-- Parameters  store_keys integer[]; file_ids bigint[]: the members' store-days that were compared
-- Reads       ops.staged_file
-- Writes      core.store_group_member   verified_at, verified_file_id; flagged_at becomes null
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.store_group_member AS member
   SET verified_at = file.observed_at, verified_file_id = file.file_id, flagged_at = NULL
  FROM unnest(%(store_keys)s::integer[], %(file_ids)s::bigint[]) AS verified (store_key, file_id)
  JOIN ops.staged_file AS file USING (file_id)
 WHERE member.store_key = verified.store_key AND member.until_at IS NULL
   AND (member.verified_file_id IS DISTINCT FROM file.file_id OR member.flagged_at IS NOT NULL)

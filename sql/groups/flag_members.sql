-- Flag members of which another one was ejected: they are to be verified.
--
-- Called by   include/groups/maintenance.py
-- Parameters  store_keys integer[]; now timestamptz
-- Writes      core.store_group_member   flagged_at of present rows
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.store_group_member
   SET flagged_at = %(now)s
 WHERE store_key = ANY (%(store_keys)s::integer[]) AND until_at IS NULL AND flagged_at IS NULL

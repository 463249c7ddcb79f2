-- Begin a group of one for every confirmed store that is in no group.
--
-- Called by   include/groups/changes.py, before anything else is decided
-- Parameters  retailer text; changed_by text; now timestamptz
-- Reads       core.store
-- Writes      core.store_group, core.store_group_member   one row each per such store
-- Run again   nothing written

WITH alone AS (
    SELECT store.store_key
      FROM core.store AS store
     WHERE store.retailer = %(retailer)s AND store.is_confirmed
       AND NOT EXISTS (SELECT FROM core.store_group_member AS member WHERE member.store_key = store.store_key AND member.until_at IS NULL)
), founded AS (
    INSERT INTO core.store_group (retailer, founder_store_key, created_at)
    SELECT %(retailer)s, store_key, %(now)s FROM alone ORDER BY store_key
    RETURNING group_id, founder_store_key
)
INSERT INTO core.store_group_member (store_key, group_id, is_anchor, cause, reason, changed_by, since_at)
SELECT founder_store_key, group_id, true, 'new', 'every store begins alone', %(changed_by)s, %(now)s FROM founded

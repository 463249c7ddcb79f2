-- Supersede the unpublished files of the same run and store.
--
-- Called by   include/ledger/registering.py, after registering a new file
-- Parameters  file_id bigint: the new file
-- Writes      ops.staged_file   unpublished files of the same retailer, store and run key that were registered before
-- Run again   nothing written

UPDATE ops.staged_file AS old
   SET state = 'superseded', stage = 'archive', state_reason = format('file %%s of the same run replaced it before it was published', %(file_id)s::bigint)
 WHERE (old.retailer, old.store_id, old.run_key) = (SELECT new.retailer, new.store_id, new.run_key FROM ops.staged_file AS new WHERE new.file_id = %(file_id)s)
   AND old.file_id < %(file_id)s AND old.state IN ('waiting', 'loaded', 'held')
RETURNING old.file_id

-- Record how the prices of store-days differ from the known ones, for the rules about slow drifts of later nights.
--
-- Called by   include/ledger/settling.py
-- Parameters  file_ids bigint[]; movements jsonb[] (parallel)
-- Writes      ops.staged_file   movement
-- Run again   nothing written

UPDATE ops.staged_file AS file
   SET movement = found.movement
  FROM unnest(%(file_ids)s::bigint[], %(movements)s::jsonb[]) AS found (file_id, movement)
 WHERE file.file_id = ANY (%(file_ids)s) AND file.file_id = found.file_id AND file.movement IS DISTINCT FROM found.movement

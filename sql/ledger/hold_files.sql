-- Hold store-days, each with its reason; released ones are not held again.
--
-- Called by   include/ledger/settling.py
-- Parameters  check_id bigint; file_ids bigint[]; reasons text[] (parallel)
-- Writes      ops.staged_file   loaded becomes held; ops.quality_check (held)
-- Run again   same rows: the reasons are rewritten

WITH holding AS (
    UPDATE ops.staged_file AS file
       SET state = 'held', state_reason = found.reason
      FROM unnest(%(file_ids)s::bigint[], %(reasons)s::text[]) AS found (file_id, reason)
     WHERE file.file_id = ANY (%(file_ids)s) AND file.file_id = found.file_id AND file.decided_by IS NULL AND file.state IN ('loaded', 'held')
    RETURNING file.file_id, file.retailer, file.store_id, file.night, file.state_reason
), counted AS (
    UPDATE ops.quality_check SET held = (SELECT count(*) FROM holding) WHERE check_id = %(check_id)s
)
SELECT file_id, retailer, store_id, night, state_reason FROM holding ORDER BY file_id

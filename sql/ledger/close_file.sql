-- Close one store-day in the ledger with its counts: every line is published, folded, unavailable, outdated or quarantined.
--
-- Called by   include/ledger/settling.py, last in the publishing transaction
-- Parameters  file_id bigint; state, state_reason text; created, updated, unchanged, unavailable, outdated, delisted integer; now timestamptz
-- Reads       staging.offer
-- Writes      ops.staged_file
-- Run again   same rows: the counts are rewritten

UPDATE ops.staged_file
   SET state = %(state)s, stage = 'archive', state_reason = %(state_reason)s, published_at = %(now)s,
       created = %(created)s, updated = %(updated)s, unchanged = %(unchanged)s, unavailable = %(unavailable)s, outdated = %(outdated)s, delisted = %(delisted)s,
       quarantined = (SELECT count(*) FROM staging.offer WHERE file_id = %(file_id)s AND reasons IS NOT NULL),
       folded = (SELECT count(*) FROM staging.offer WHERE file_id = %(file_id)s AND reasons IS NULL AND is_folded)
 WHERE file_id = %(file_id)s
RETURNING rows, quarantined, folded

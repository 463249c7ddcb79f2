-- Take on the question about held store-days for one run of decide_held, so that no other run asks it too.
--
-- Called by   include/ledger/held.py, task `list_held` of `decide_held`
-- Parameters  retailers text[]; run text: the run's id; is_again boolean: also what another run has taken on; now timestamptz
-- Writes      ops.staged_file   asked_run and asked_at of held files
-- Run again   nothing written

UPDATE ops.staged_file
   SET asked_run = %(run)s, asked_at = %(now)s
 WHERE state = 'held' AND retailer = ANY (%(retailers)s)
   AND asked_run IS DISTINCT FROM %(run)s AND (asked_run IS NULL OR %(is_again)s)

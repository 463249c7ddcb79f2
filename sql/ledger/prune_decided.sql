-- Delete refused lines that were decided long ago; the ledger keeps their number, and ops.decision who decided and why.
--
-- Called by   include/ledger/quarantine.py, task `prune_archive` of `sweep_outbox`
-- Parameters  decided_before timestamptz
-- Writes      ops.quarantined_offer   undecided lines stay
-- Run again   nothing written

DELETE FROM ops.quarantined_offer
 WHERE state <> 'quarantined' AND decided_at < %(decided_before)s AND quarantined_at < %(decided_before)s

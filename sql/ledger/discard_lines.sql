-- Discard undecided refused lines of a file.
--
-- Called by   include/ledger/decisions.py
-- Parameters  file_id bigint; lines integer[] (null = all of the file); by, reason text: user and reason; now timestamptz
-- Writes      ops.quarantined_offer   state and decision
-- Run again   nothing written

UPDATE ops.quarantined_offer
   SET state = 'discarded', decided_by = %(by)s, decision_reason = %(reason)s, decided_at = %(now)s
 WHERE file_id = %(file_id)s AND state = 'quarantined' AND (%(lines)s::integer[] IS NULL OR line_number = ANY (%(lines)s))

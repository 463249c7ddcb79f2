-- Store-days of a night that wait for a person: held ones, and refused files nobody has acknowledged.
--
-- Called by   include/ledger/open_questions.py
-- Parameters  retailers text[]; night date
-- Reads       ops.staged_file
-- Run again   same answer while nothing is decided

SELECT file_id, retailer, store_id, state, state_reason, rows
  FROM ops.staged_file
 WHERE retailer = ANY (%(retailers)s) AND night = %(night)s AND (state = 'held' OR state = 'refused' AND decided_by IS NULL)
 ORDER BY retailer, store_id, file_id

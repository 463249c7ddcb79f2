-- Set a retailer's loaded files to waiting, except some, in a dry run that is rolled back.
--
-- Called by   include/ledger/settling.py, for the search of lines that the database rejects
-- Parameters  retailer text; file_ids bigint[]: those that stay loaded
-- Writes      ops.staged_file   loaded becomes waiting
-- Run again   nothing written

UPDATE ops.staged_file
   SET state = 'waiting'
 WHERE retailer = %(retailer)s AND state = 'loaded' AND NOT file_id = ANY (%(file_ids)s)

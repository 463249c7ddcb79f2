-- Let the loaded files of a retailer wait, but for some: in a dry run, which is rolled back.
--
-- Called by   include/ledger/settling.py, for the search of lines that the database rejects
-- Parameters  retailer text; file_ids bigint[]: those that stay loaded
-- Writes      ops.staged_file   loaded becomes waiting
-- Run again   nothing written

UPDATE ops.staged_file
   SET state = 'waiting'
 WHERE retailer = %(retailer)s AND state = 'loaded' AND NOT file_id = ANY (%(file_ids)s)

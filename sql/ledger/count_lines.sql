-- Count a file's refused lines, and the undecided ones among them.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint
-- Reads       ops.quarantined_offer
-- Run again   same result while nothing is decided

SELECT count(*) AS lines, count(*) FILTER (WHERE state = 'quarantined') AS undecided FROM ops.quarantined_offer WHERE file_id = %(file_id)s

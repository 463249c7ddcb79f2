-- How many lines of a file were refused, and how many of them nobody has decided about.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint
-- Reads       ops.quarantined_offer
-- Run again   same answer while nothing is decided

SELECT count(*) AS lines, count(*) FILTER (WHERE state = 'quarantined') AS undecided FROM ops.quarantined_offer WHERE file_id = %(file_id)s

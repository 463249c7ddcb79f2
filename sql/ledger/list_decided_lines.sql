-- List the refused lines of a file with a given decision.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint; state text: released or discarded
-- Reads       ops.quarantined_offer
-- Run again   same result while nothing is decided

SELECT line_number, sku FROM ops.quarantined_offer WHERE file_id = %(file_id)s AND state = %(state)s ORDER BY line_number

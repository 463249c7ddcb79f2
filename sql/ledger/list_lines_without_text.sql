-- List the refused lines of a file whose raw text is not stored yet.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint
-- Reads       ops.quarantined_offer
-- Run again   same result until the texts are kept

SELECT line_number FROM ops.quarantined_offer WHERE file_id = %(file_id)s AND raw_text IS NULL ORDER BY line_number

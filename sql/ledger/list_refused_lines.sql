-- The first refused lines of one file.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint; limit integer: maximum
-- Reads       ops.quarantined_offer
-- Run again   same result while nothing is decided

SELECT file_id, line_number, retailer, store_id, sku, reasons, raw_text, state, outcome, decided_by, decision_reason, decided_at, quarantined_at
  FROM ops.quarantined_offer
 WHERE file_id = %(file_id)s
 ORDER BY line_number
 LIMIT %(limit)s

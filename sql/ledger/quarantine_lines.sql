-- Move the refused lines of one store-day to quarantine, with all their reasons.
--
-- Called by   include/ledger/quarantine.py, in the publishing transaction
-- Parameters  file_id bigint; now timestamptz
-- Reads       staging.offer
-- Writes      ops.quarantined_offer   raw_text is filled from the file afterwards
-- Run again   nothing written: decided lines are unchanged

INSERT INTO ops.quarantined_offer (file_id, line_number, retailer, store_id, sku, reasons, quarantined_at)
SELECT offer.file_id, offer.line_number, file.retailer, file.store_id, left(offer.sku, 200), offer.reasons, %(now)s
  FROM staging.offer AS offer
  JOIN ops.staged_file AS file USING (file_id)
 WHERE offer.file_id = %(file_id)s AND offer.reasons IS NOT NULL
 ORDER BY offer.line_number
    ON CONFLICT (file_id, line_number) DO NOTHING

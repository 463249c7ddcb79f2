-- Update the reasons of undecided refused lines by the current rules.
--
-- Called by   include/ledger/quarantine.py, after the lines were read and marked again
-- Parameters  file_id bigint
-- Reads       staging.offer
-- Writes      ops.quarantined_offer   reasons and SKU of lines that are still refused
-- Run again   nothing written

UPDATE ops.quarantined_offer AS line
   SET reasons = offer.reasons, sku = left(offer.sku, 200)
  FROM staging.offer AS offer
 WHERE line.file_id = %(file_id)s AND offer.file_id = line.file_id AND offer.line_number = line.line_number
   AND line.state = 'quarantined' AND offer.reasons IS NOT NULL
   AND (line.reasons, line.sku) IS DISTINCT FROM (offer.reasons, left(offer.sku, 200))

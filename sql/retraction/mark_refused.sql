-- Refuse the lines of a reread store-day that were refused then and not released since.
--
-- Called by   include/ingestion/store_prices.py
-- Parameters  file_id bigint
-- Reads       ops.quarantined_offer
-- Writes      staging.offer   reasons
-- Run again   nothing written

UPDATE staging.offer AS offer
   SET reasons = line.reasons
  FROM ops.quarantined_offer AS line
 WHERE offer.file_id = %(file_id)s AND line.file_id = offer.file_id AND line.line_number = offer.line_number
   AND (line.state <> 'released' OR line.outcome = 'outdated') AND offer.reasons IS DISTINCT FROM line.reasons

-- What the look-ups of a night have asked and gained so far, and how many SKUs are due.
--
-- Called by   include/enrichment/lookup_queue.py
-- Parameters  night date; retailer text; now timestamptz
-- Reads       ops.lookup_night, ops.barcode_lookup
-- Run again   same result

SELECT coalesce(night.requests, 0) AS requests, coalesce(night.asked, 0) AS asked, coalesce(night.found, 0) AS found, coalesce(night.learned, 0) AS learned,
       coalesce(night.contested, 0) AS contested, coalesce(night.none, 0) AS none, coalesce(night.unknown, 0) AS unknown, coalesce(night.failed, 0) AS failed,
       coalesce(night.joined, 0) AS joined,
       (SELECT count(*) FROM ops.barcode_lookup WHERE retailer = %(retailer)s AND retry_at <= %(now)s AND store_key IS NOT NULL) AS due
  FROM (SELECT 1) AS one
  LEFT JOIN ops.lookup_night AS night ON night.night = %(night)s AND night.retailer = %(retailer)s

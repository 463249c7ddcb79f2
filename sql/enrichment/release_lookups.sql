-- Return the claims of a worker to the queue: it ends, or an earlier attempt of it was killed.
--
-- Called by   include/enrichment/lookup_queue.py
-- Parameters  worker text: the beginning of its claims
-- Writes      ops.barcode_lookup
-- Run again   nothing written

UPDATE ops.barcode_lookup
   SET claim = NULL, claimed_at = NULL
 WHERE claim IS NOT NULL AND starts_with(claim, %(worker)s)

-- List files with an open decision: held store-days, and published ones with undecided refused lines.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  retailer text, file_id bigint (null = all)
-- Reads       ops.staged_file, ops.quarantined_offer
-- Run again   same result while nothing is decided

SELECT file.file_id, file.state = 'held' AS is_held
  FROM ops.staged_file AS file
 WHERE (%(retailer)s::text IS NULL OR file.retailer = %(retailer)s) AND (%(file_id)s::bigint IS NULL OR file.file_id = %(file_id)s)
   AND (file.state = 'held'
        OR file.state IN ('published', 'superseded')
           AND EXISTS (SELECT FROM ops.quarantined_offer AS line WHERE line.file_id = file.file_id AND line.state = 'quarantined'))
 ORDER BY file.observed_at, file.file_id

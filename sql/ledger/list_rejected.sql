-- Store-days that wait because the database rejects lines of them, oldest registration first.
--
-- Called by   include/ledger/rejections.py
-- Parameters  retailers text[]
-- Reads       ops.staged_file
-- Run again   same result until they are retried

SELECT file_id, retailer, store_id, night, manifest, rejection
  FROM ops.staged_file
 WHERE retailer = ANY (%(retailers)s) AND state IN ('waiting', 'loaded') AND rejection IS NOT NULL
 ORDER BY file_id

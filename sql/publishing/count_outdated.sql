-- Count the accepted lines of a store-day that is older than the store's last complete one: none of its prices is published.
--
-- Called by   include/ingestion/publish.py
-- Parameters  file_id bigint
-- Reads       staging.offer
-- Run again   same result

SELECT 0 AS created, 0 AS updated, 0 AS unchanged, 0 AS unavailable, count(*) AS outdated
  FROM staging.offer
 WHERE file_id = %(file_id)s AND reasons IS NULL AND NOT is_folded

-- Count the other store-days of the same retailers and nights as some held ones, by state.
--
-- Called by   include/alerts/alerts.py
-- Parameters  file_ids bigint[]: the held ones
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT other.retailer, other.night,
       count(*) FILTER (WHERE other.state IN ('published', 'superseded')) AS published,
       count(*) FILTER (WHERE other.state IN ('waiting', 'loaded')) AS in_progress,
       count(*) FILTER (WHERE other.state = 'held') AS held,
       coalesce(sum(other.rows) FILTER (WHERE other.state = 'published'), 0)::bigint AS rows_published
  FROM ops.staged_file AS other
 WHERE (other.retailer, other.night) IN (SELECT file.retailer, file.night FROM ops.staged_file AS file WHERE file.file_id = ANY (%(file_ids)s))
 GROUP BY other.retailer, other.night
 ORDER BY other.retailer, other.night

-- Return whether a store-day arrives late: a newer one of its store is published, and no complete one that began after it ended.
--
-- Called by   include/ingestion/publish.py, in the publishing transaction
-- Parameters  file_id bigint
-- Reads       ops.staged_file, core.store
-- Run again   same result while nothing is published

SELECT EXISTS (SELECT
                 FROM ops.staged_file AS newer
                WHERE newer.retailer = file.retailer AND newer.store_id = file.store_id AND newer.state = 'published'
                  AND (newer.observed_at, newer.file_id) > (file.observed_at, file.file_id))
       AND coalesce((SELECT store.complete_at FROM core.store AS store WHERE store.retailer = file.retailer AND store.store_id = file.store_id)
                    <= file.last_observed_at, true) AS is_late
  FROM ops.staged_file AS file
 WHERE file.file_id = %(file_id)s

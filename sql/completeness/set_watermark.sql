-- Set the store's watermark to its newest complete published store-day; none: it has no watermark.
--
-- Called by   include/ingestion/completeness.py
-- Parameters  store_key integer
-- Reads       ops.staged_file
-- Writes      core.store
-- Run again   nothing written

UPDATE core.store AS store
   SET complete_at = newest.observed_at, complete_file_id = newest.file_id
  FROM core.store AS this
  LEFT JOIN LATERAL (SELECT file.observed_at, file.file_id
                       FROM ops.staged_file AS file
                      WHERE file.retailer = this.retailer AND file.store_id = this.store_id AND file.is_past_store_day AND file.is_complete
                      ORDER BY file.observed_at DESC, file.file_id DESC
                      LIMIT 1) AS newest ON true
 WHERE this.store_key = %(store_key)s AND store.store_key = %(store_key)s
   AND (store.complete_at, store.complete_file_id) IS DISTINCT FROM (newest.observed_at, newest.file_id)

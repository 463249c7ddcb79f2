-- Set a store's watermark to its newest published complete store-day, null without one.
--
-- Called by   include/ingestion/retract.py, include/ingestion/completeness.py, after the ledger is changed
-- Parameters  store_key integer
-- Reads       ops.staged_file
-- Writes      core.store
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written

UPDATE core.store AS store
   SET complete_at = newest.observed_at, complete_file_id = newest.file_id
  FROM core.store AS same
  LEFT JOIN LATERAL (SELECT file.observed_at, file.file_id
                       FROM ops.staged_file AS file
                      WHERE file.retailer = same.retailer AND file.store_id = same.store_id AND file.state = 'published' AND file.is_complete
                      ORDER BY file.observed_at DESC, file.file_id DESC
                      LIMIT 1) AS newest ON true
 WHERE store.store_key = %(store_key)s AND same.store_key = store.store_key
   AND (store.complete_at, store.complete_file_id) IS DISTINCT FROM (newest.observed_at, newest.file_id)

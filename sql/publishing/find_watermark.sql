-- The watermark of a store: its newest complete store-day, and the instant of that one's last line.
--
-- Called by   include/ingestion/store_prices.py
-- Parameters  store_key integer
-- Reads       core.store, ops.staged_file
-- Run again   same result while nothing is published

SELECT store.complete_at, store.complete_file_id, (SELECT file.last_observed_at FROM ops.staged_file AS file WHERE file.file_id = store.complete_file_id) AS last_observed_at
  FROM core.store AS store
 WHERE store.store_key = %(store_key)s

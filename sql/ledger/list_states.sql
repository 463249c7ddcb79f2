-- List the state of every file of a retailer, by store, run key and content.
--
-- Called by   include/ingestion/sweep.py
-- Parameters  retailer text
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT store_id, run_key, content_hash, state FROM ops.staged_file WHERE retailer = %(retailer)s

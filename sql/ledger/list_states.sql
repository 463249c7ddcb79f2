-- The state of every file of a retailer, by what its manifest says of it.
--
-- Called by   include/ingestion/sweep.py
-- Parameters  retailer text
-- Reads       ops.staged_file
-- Run again   same answer while the ledger is the same

SELECT store_id, run_key, content_hash, state FROM ops.staged_file WHERE retailer = %(retailer)s

-- Loaded and checked files of a retailer: those whose SKUs are to be resolved.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT file_id FROM ops.staged_file WHERE retailer = %(retailer)s AND state = 'loaded' AND check_version IS NOT NULL ORDER BY file_id

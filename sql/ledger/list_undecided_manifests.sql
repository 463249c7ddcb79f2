-- List the manifests of a retailer's files that belong in the outbox.
--
-- Called by   include/ledger/registering.py
-- Parameters  retailer text
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT manifest FROM ops.staged_file WHERE retailer = %(retailer)s AND state IN ('waiting', 'loaded', 'held') ORDER BY file_id

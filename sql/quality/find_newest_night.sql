-- The newest night whose store-days were checked.
--
-- Called by   include/ingestion/checks/results.py
-- Parameters  retailer text (null = all)
-- Reads       ops.staged_file
-- Run again   same result until the next check

SELECT max(night) AS night FROM ops.staged_file WHERE checked_at IS NOT NULL AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s)

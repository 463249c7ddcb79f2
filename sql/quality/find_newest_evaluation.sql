-- The newest check whose suite result is kept.
--
-- Called by   include/ingestion/checks/data_docs.py
-- Reads       ops.quality_check
-- Run again   same result until the next check

SELECT max(check_id) AS newest FROM ops.quality_check WHERE evaluation IS NOT NULL

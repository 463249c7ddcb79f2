-- Create the month's partition of the change log unless it exists, if the log is on.
--
-- Called by   include/ingestion/store_prices.py, include/ingestion/replay.py, before prices are merged
-- Parameters  now timestamptz
-- Writes      core.price_change   a partition, once a month
-- Run again   nothing written

SELECT core.ensure_price_change_month(%(now)s) AS partition
 WHERE current_setting('aisleflow.change_log', true) = 'on'

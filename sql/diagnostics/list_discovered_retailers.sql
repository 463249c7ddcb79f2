-- Retailers whose stores were discovered.
--
-- Called by   include/cli/night_run.py
-- Reads       core.store
-- Run again   same result until the next discovery

SELECT DISTINCT retailer FROM core.store WHERE discovered_at IS NOT NULL ORDER BY retailer

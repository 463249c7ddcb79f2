-- Find the newest planned night.
--
-- Called by   include/cli/night.py
-- Reads       ops.crawl_plan
-- Run again   same result until the next plan

SELECT max(night) AS night FROM ops.crawl_plan

-- Retailers that have stores to crawl in a night.
--
-- Called by   include/diagnostics/night.py
-- Parameters  night date
-- Reads       ops.crawl_plan
-- Run again   same result until the next plan

SELECT DISTINCT retailer FROM ops.crawl_plan WHERE night = %(night)s AND decision = 'crawl' ORDER BY retailer

-- The areas with bargains.
--
-- Called by   include/bargains/exporting.py
-- Reads       core.bargain
-- Run again   same result until the next publication

SELECT area, count(*) AS bargains FROM core.bargain GROUP BY area ORDER BY area

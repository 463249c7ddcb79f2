-- Delete the published bargains; the same transaction inserts the new ones, and readers see the old ones until it commits.
--
-- Called by   include/bargains/publish.py
-- Writes      core.bargain
-- Run again   nothing written

DELETE FROM core.bargain

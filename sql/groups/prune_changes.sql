-- Delete what a newer change of the same store makes useless: readers ask for the newest change of a store only.
--
-- Called by   include/groups/changes.py, task `prune_archive` of `sweep_outbox`
-- Writes      core.inference_change   the newest row of each store stays
-- Run again   nothing written

DELETE FROM core.inference_change AS change
 USING (SELECT store_key, max(changed_at) AS changed_at FROM core.inference_change GROUP BY store_key) AS newest
 WHERE change.store_key = newest.store_key AND change.changed_at < newest.changed_at

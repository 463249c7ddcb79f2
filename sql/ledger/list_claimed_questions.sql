-- The questions of one run of decide_held: one per held store-day, or one for all that only a retailer-level rule holds.
--
-- Called by   include/ledger/held.py, task `list_held` of `decide_held`
-- Parameters  run text: the run's id
-- Reads       ops.staged_file, ops.data_quality_result; what was checked together is one batch
-- Run again   same answer while nothing is decided

SELECT retailer, CASE WHEN batch.is_batch THEN NULL ELSE min(store_id) END AS store_id, array_agg(DISTINCT night ORDER BY night) AS nights,
       array_agg(file_id ORDER BY file_id) AS file_ids
  FROM ops.staged_file AS file
 CROSS JOIN LATERAL (SELECT coalesce(bool_and(result.scope = 'retailer'), false) AS is_batch
                       FROM ops.data_quality_result AS result
                      WHERE result.file_id = file.file_id AND result.scope <> 'row' AND NOT result.is_passed AND result.severity = 'critical') AS batch
 WHERE state = 'held' AND question_run_id = %(run)s
 GROUP BY retailer, batch.is_batch, CASE WHEN batch.is_batch THEN checked_at END, CASE WHEN NOT batch.is_batch THEN file_id END
 ORDER BY retailer, min(file_id)

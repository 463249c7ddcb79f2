-- The questions of one run of decide_held: one per held store-day, or one for all that only a retailer-level rule holds.
--
-- Called by   include/ledger/held.py, task `list_held` of `decide_held`
-- Parameters  run text: the run's id
-- Reads       ops.staged_file, ops.data_quality_result; store-days of one check are one batch
-- Run again   same result while nothing is decided

WITH held AS MATERIALIZED (
    SELECT file_id, retailer, store_id, night, checked_at FROM ops.staged_file WHERE state = 'held' AND question_run_id = %(run)s
), evaluated AS (
    SELECT file_id, bool_and(scope = 'retailer') AS is_batch
      FROM ops.data_quality_result
     WHERE file_id = ANY (ARRAY(SELECT file_id FROM held)) AND scope <> 'row' AND NOT is_passed AND severity = 'critical'
     GROUP BY file_id
), question AS (
    SELECT held.*, coalesce(evaluated.is_batch, false) AS is_batch FROM held LEFT JOIN evaluated USING (file_id)
)
SELECT retailer, CASE WHEN is_batch THEN NULL ELSE min(store_id) END AS store_id, array_agg(DISTINCT night ORDER BY night) AS nights,
       array_agg(file_id ORDER BY file_id) AS file_ids
  FROM question
 GROUP BY retailer, is_batch, CASE WHEN is_batch THEN checked_at END, CASE WHEN NOT is_batch THEN file_id END
 ORDER BY retailer, min(file_id)

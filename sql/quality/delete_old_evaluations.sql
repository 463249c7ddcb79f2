-- Delete the suite's validation results of all but the newest checks of each retailer; the counts stay.
--
-- Called by   include/ingestion/checks/recording.py
-- Parameters  keep integer: number kept per retailer
-- Writes      ops.quality_check   evaluation of older checks
-- Run again   nothing written

UPDATE ops.quality_check AS old
   SET evaluation = NULL
 WHERE old.evaluation IS NOT NULL
   AND old.check_id IN (SELECT check_id
                          FROM (SELECT check_id, row_number() OVER (PARTITION BY retailer ORDER BY checked_at DESC, check_id DESC) AS nth
                                  FROM ops.quality_check WHERE evaluation IS NOT NULL) AS ranked
                         WHERE nth > %(keep)s)

-- Delete the results of earlier checks of files that are checked again.
--
-- Called by   include/ingestion/checks/recording.py
-- Parameters  file_ids bigint[]
-- Writes      ops.data_quality_result   rows are deleted
-- Run again   nothing written

DELETE FROM ops.data_quality_result WHERE file_id = ANY (%(file_ids)s)

-- Record one check of a batch, with the suite's validation result for Data Docs.
--
-- Called by   include/ingestion/checks/recording.py
-- Parameters  retailer, catalogue_version text; file_ids bigint[]; broken, evaluation jsonb (evaluation null = none to keep); now timestamptz
-- Reads       ops.staged_file
-- Writes      ops.quality_check   one row per batch and version of the catalogue
-- Run again   same rows: one is rewritten

INSERT INTO ops.quality_check (retailer, catalogue_version, files_hash, files, lines, nights, broken, held, evaluation, checked_at)
SELECT %(retailer)s, %(catalogue_version)s, md5(array_agg(file_id ORDER BY file_id)::text), count(*), coalesce(sum(rows), 0),
       array_agg(DISTINCT night ORDER BY night), %(broken)s, 0, %(evaluation)s, %(now)s
  FROM ops.staged_file
 WHERE file_id = ANY (%(file_ids)s)
    ON CONFLICT (retailer, catalogue_version, files_hash) DO UPDATE
   SET files = excluded.files, lines = excluded.lines, nights = excluded.nights, broken = excluded.broken, held = excluded.held,
       evaluation = excluded.evaluation, checked_at = excluded.checked_at
RETURNING check_id

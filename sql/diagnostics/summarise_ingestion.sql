-- Summarise ingestion per retailer for some staged files.
--
-- Called by   include/diagnostics/ingest_summary.py, include/cli/night_run.py
-- Parameters  file_ids bigint[] (null = any); night date (null = any)
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT retailer,
       count(*)::integer AS store_days,
       count(*) FILTER (WHERE is_complete)::integer AS complete,
       count(*) FILTER (WHERE state IN ('waiting', 'loaded'))::integer AS open,
       count(*) FILTER (WHERE state = 'held')::integer AS held,
       count(*) FILTER (WHERE state = 'refused')::integer AS refused,
       count(*) FILTER (WHERE state = 'superseded')::integer AS superseded,
       sum(rows)::integer AS offers,
       coalesce(sum(created), 0)::integer AS created, coalesce(sum(updated), 0)::integer AS updated,
       coalesce(sum(unchanged), 0)::integer AS unchanged, coalesce(sum(unavailable), 0)::integer AS unavailable,
       coalesce(sum(outdated), 0)::integer AS outdated, coalesce(sum(delisted), 0)::integer AS delisted,
       coalesce(sum(folded), 0)::integer AS folded, coalesce(sum(quarantined), 0)::integer AS quarantined,
       round(extract(epoch FROM sum(published_at - registered_at))::numeric, 1)::float AS seconds_waited_in_all
  FROM ops.staged_file
 WHERE (%(file_ids)s::bigint[] IS NULL OR file_id = ANY (%(file_ids)s)) AND (%(night)s::date IS NULL OR night = %(night)s)
 GROUP BY retailer
 ORDER BY retailer

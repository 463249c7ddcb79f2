-- Record the outcome of an attempt at one store; a later attempt of the same run replaces it.
--
-- Called by   include/crawling/outcomes.py
-- Parameters  retailer, store_id, run_key, state, error_kind, reason, manifest text; night date; is_complete boolean; rows, pages, requests integer; detail jsonb; started_at, finished_at, recorded_at timestamptz
-- Writes      ops.crawl_outcome
-- Run again   same rows: one is rewritten

INSERT INTO ops.crawl_outcome (retailer, store_id, night, run_key, state, is_complete, error_kind, reason, rows, pages, requests, manifest, detail, started_at, finished_at, recorded_at)
VALUES (%(retailer)s, %(store_id)s, %(night)s, %(run_key)s, %(state)s, %(is_complete)s, %(error_kind)s, %(reason)s, %(rows)s, %(pages)s, %(requests)s, %(manifest)s, %(detail)s, %(started_at)s, %(finished_at)s, %(recorded_at)s)
    ON CONFLICT (retailer, store_id, run_key) DO UPDATE
   SET state = excluded.state, is_complete = excluded.is_complete, error_kind = excluded.error_kind, reason = excluded.reason, pages = excluded.pages, requests = excluded.requests,
       -- an attempt that staged nothing keeps the manifest of an earlier one of the run
       rows = CASE WHEN excluded.manifest IS NULL AND crawl_outcome.manifest IS NOT NULL THEN crawl_outcome.rows ELSE excluded.rows END,
       manifest = coalesce(excluded.manifest, crawl_outcome.manifest), detail = excluded.detail, started_at = excluded.started_at, finished_at = excluded.finished_at, recorded_at = excluded.recorded_at

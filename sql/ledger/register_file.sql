-- Register one staged file in the ledger, as waiting.
--
-- Called by   include/ledger/registering.py
-- Parameters  retailer, store_id, run_key, content_hash, stage text; night date; observed_at, last_observed_at, now timestamptz;
--             rows integer; is_complete boolean (null = unknown); is_partial_on_request boolean; completeness_reason text; manifest jsonb
-- Writes      ops.staged_file   one row per (retailer, store, run key, content)
-- Run again   nothing written, no row returned: registered once per content

INSERT INTO ops.staged_file (retailer, store_id, night, run_key, content_hash, state, stage, observed_at, last_observed_at,
                             rows, is_complete, completeness_reason, is_partial_on_request, manifest, registered_at)
VALUES (%(retailer)s, %(store_id)s, %(night)s, %(run_key)s, %(content_hash)s, 'waiting', %(stage)s, %(observed_at)s, %(last_observed_at)s,
        %(rows)s, %(is_complete)s, %(completeness_reason)s, %(is_partial_on_request)s, %(manifest)s, %(now)s)
    ON CONFLICT (retailer, store_id, run_key, content_hash) DO NOTHING
RETURNING file_id

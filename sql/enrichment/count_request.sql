-- Count one more request of the night's look-ups, unless as many as the limit are sent. No row: the limit is reached.
--
-- Called by   include/enrichment/lookup_budget.py
-- Parameters  night date; retailer, request_id text: of this request; requests_max integer; now timestamptz
-- Writes      ops.lookup_night
-- Run again   same rows: one count per request_id

INSERT INTO ops.lookup_night AS night (night, retailer, requests, request_id, started_at, finished_at)
VALUES (%(night)s, %(retailer)s, 1, %(request_id)s, %(now)s, %(now)s)
    ON CONFLICT (night, retailer) DO UPDATE
   SET requests = night.requests + CASE WHEN night.request_id = excluded.request_id THEN 0 ELSE 1 END, request_id = excluded.request_id,
       finished_at = excluded.finished_at
 WHERE night.requests < %(requests_max)s OR night.request_id = excluded.request_id
RETURNING requests

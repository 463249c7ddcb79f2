-- List the loaded store-days that are not checked yet; those to be checked together next are of the earliest date, each the oldest unpublished one of its store.
--
-- Called by   include/ledger/files.py
-- Parameters  retailer, version text: of the rule catalogue
-- Reads       ops.staged_file, staging.loaded_file
-- Run again   same result while nothing is checked, loaded or published
--
-- A store-day is compared with published ones only: those before it are published or held when its turn comes. One that is checked and
-- not published yet, after a kill, keeps later dates waiting.

SELECT file_id, observed_at, last_observed_at, state, is_next
  FROM (SELECT file_id, check_version, observed_at, last_observed_at, state, nth = 1 AND observed_on = min(observed_on) FILTER (WHERE nth = 1) OVER () AS is_next
          FROM (SELECT file_id, check_version, observed_at, last_observed_at, manifest ->> 'state' AS state, (observed_at AT TIME ZONE 'Australia/Melbourne')::date AS observed_on,
                       row_number() OVER (PARTITION BY store_id ORDER BY observed_at, file_id) AS nth
                  FROM ops.staged_file
                  JOIN staging.loaded_file USING (file_id)
                 WHERE retailer = %(retailer)s AND state = 'loaded') AS unpublished) AS ordered
 WHERE check_version IS DISTINCT FROM %(version)s
 ORDER BY file_id

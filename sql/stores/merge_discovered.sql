-- Merge found stores; a known value is never replaced by null or an older one, a store is never removed.
--
-- Called by   include/crawling/discovery.py
-- Parameters  now timestamptz
-- Reads       discovered   temporary; one row per store found, seen_at = when it was seen
-- Writes      core.store   new stores are confirmed; known ones are confirmed, updated and open again
-- Run again   same rows: only discovered_at is rewritten

WITH merged AS (
    MERGE INTO core.store AS known
    USING discovered AS found
       ON known.retailer = found.retailer AND known.store_id = found.store_id
     WHEN MATCHED AND (known.discovered_at IS NULL OR known.discovered_at <= found.seen_at) THEN UPDATE
          SET name = coalesce(found.name, known.name), state = coalesce(found.state, known.state), online_store_id = coalesce(found.online_store_id, known.online_store_id),
              suburb = coalesce(found.suburb, known.suburb), postcode = coalesce(found.postcode, known.postcode),
              latitude = coalesce(found.latitude, known.latitude), longitude = coalesce(found.longitude, known.longitude),
              division = coalesce(found.division, known.division), is_supermarket = found.is_supermarket, is_trading = found.is_trading,
              is_confirmed = true, discovered_at = found.seen_at, absences = 0, absent_on = NULL, closed_at = NULL
     WHEN NOT MATCHED THEN INSERT
          (retailer, store_id, name, state, online_store_id, suburb, postcode, latitude, longitude, division, is_supermarket, is_trading, is_confirmed, discovered_at, first_seen_at)
          VALUES (found.retailer, found.store_id, found.name, found.state, found.online_store_id, found.suburb, found.postcode, found.latitude, found.longitude,
                  found.division, found.is_supermarket, found.is_trading, true, found.seen_at, %(now)s)
    RETURNING merge_action() AS action, found.retailer, found.store_id
)
SELECT count(*)::integer AS stores, count(*) FILTER (WHERE found.is_supermarket)::integer AS supermarkets,
       count(*) FILTER (WHERE found.is_supermarket AND NOT found.is_trading)::integer AS not_trading,
       count(*) FILTER (WHERE merged.action = 'INSERT')::integer AS new
  FROM discovered AS found
  LEFT JOIN merged USING (retailer, store_id)

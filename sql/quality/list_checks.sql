-- The checks of one night: what each retailer's batch held and how many lines broke each row rule.
--
-- Called by   include/ingestion/checks/results.py
-- Parameters  retailer text (null = all); night date
-- Reads       ops.quality_check
-- Run again   same result until the next check

SELECT check_id, retailer, nights, files, lines, held, catalogue_version, checked_at,
       (SELECT coalesce(jsonb_object_agg(rule.key, rule.value), '{}') FROM jsonb_each(broken) AS rule WHERE rule.value <> '0') AS broken
  FROM ops.quality_check
 WHERE %(night)s = ANY (nights) AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s)
 ORDER BY retailer, checked_at, check_id

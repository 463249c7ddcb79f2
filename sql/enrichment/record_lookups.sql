-- Record the answers to a batch, and count them in the night. What was not found is asked again after a wait that doubles with each attempt.
--
-- Called by   include/enrichment/lookup_queue.py
-- Parameters  claim text: of the batch; retailer text; night date; skus, results, sources, gtins, details text[]: one element per SKU; asked_at timestamptz;
--             store_id text; joined integer: SKUs that moved; now timestamptz; hours double precision[], hours_max double precision: first waits by
--             result (none and unusable, unknown_id and other_good, failed), and the longest
-- Reads       core.sku_barcode
-- Writes      ops.barcode_lookup; ops.lookup_night
-- Run again   nothing written: the claim has ended

WITH answer AS MATERIALIZED (
    SELECT unnest(%(skus)s::text[]) AS sku, unnest(%(results)s::text[]) AS result, unnest(%(sources)s::text[]) AS source,
           unnest(%(gtins)s::text[]) AS gtin, unnest(%(details)s::text[]) AS detail
), recorded AS (
    UPDATE ops.barcode_lookup AS queued
       SET claim = NULL, claimed_at = NULL, attempts = queued.attempts + 1, asked_at = %(asked_at)s, asked_store_id = %(store_id)s,
           source = answer.source, result = answer.result, gtin = answer.gtin, detail = answer.detail,
           retry_at = CASE WHEN answer.result <> 'found' THEN %(asked_at)s + make_interval(hours => least(%(hours_max)s, power(2, least(queued.attempts, 20)) *
                          (%(hours)s::double precision[])[CASE WHEN answer.result IN ('none', 'unusable') THEN 1 WHEN answer.result = 'failed' THEN 3 ELSE 2 END])::integer) END
      FROM answer
     WHERE queued.retailer = %(retailer)s AND queued.sku = answer.sku AND queued.claim = %(claim)s
    RETURNING queued.sku_key, queued.result, queued.gtin
), judged AS MATERIALIZED (
    SELECT recorded.result, claim.refused_because IS NOT NULL AS is_refused
      FROM recorded
      LEFT JOIN (SELECT sku_key, gtin, refused_because FROM core.sku_barcode WHERE gtin = ANY (%(gtins)s::text[])) AS claim USING (sku_key, gtin)
)
INSERT INTO ops.lookup_night AS night (night, retailer, asked, found, learned, contested, none, unknown, failed, joined, started_at, finished_at)
SELECT %(night)s, %(retailer)s, count(*), count(*) FILTER (WHERE result = 'found'), count(*) FILTER (WHERE result = 'found' AND NOT is_refused),
       count(*) FILTER (WHERE result = 'found' AND is_refused), count(*) FILTER (WHERE result IN ('none', 'unusable')),
       count(*) FILTER (WHERE result IN ('unknown_id', 'other_good')), count(*) FILTER (WHERE result = 'failed'), %(joined)s, %(now)s, %(now)s
  FROM judged
HAVING count(*) > 0
    ON CONFLICT (night, retailer) DO UPDATE
   SET asked = night.asked + excluded.asked, found = night.found + excluded.found, learned = night.learned + excluded.learned,
       contested = night.contested + excluded.contested, none = night.none + excluded.none, unknown = night.unknown + excluded.unknown,
       failed = night.failed + excluded.failed, joined = night.joined + excluded.joined, finished_at = excluded.finished_at
RETURNING asked, found, learned, contested, none, unknown, failed, joined

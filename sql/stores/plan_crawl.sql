-- Plan one retailer's night: requested stores, due ones (longest unseen first), never-crawled ones spread over the states, then stores that are still current.
--
-- Called by   include/crawling/crawl_plan.py
-- Parameters  retailer text; night date; store_budget, new_store_budget integer: stores that fit, and how many of these are reserved for never-crawled ones;
--             budget_cause, budget_reason text: the limit that store_budget comes from; store_ids text[] (null = all; otherwise only these, beyond any budget); current_since timestamptz; week_starts jsonb: state → start of
--             its current price week, '' for an unknown state; now timestamptz
-- Reads       core.store, ops.crawl_request
-- Writes      ops.crawl_plan   one row per store of the retailer
-- Run again   same rows: the plan of the night is rewritten

WITH candidate AS (
    SELECT store.store_id, store.name, store.state, store.complete_at, request.reason AS request,
           CASE WHEN request.reason IS NOT NULL THEN 'requested'
                WHEN store.complete_at IS NULL THEN 'never_crawled'
                WHEN store.complete_at < greatest(%(current_since)s, coalesce(%(week_starts)s::jsonb ->> coalesce(store.state, ''), %(week_starts)s::jsonb ->> '')::timestamptz) THEN 'due'
                ELSE 'current' END AS class,
           CASE WHEN %(store_ids)s::text[] IS NOT NULL AND NOT store.store_id = ANY (%(store_ids)s) THEN 'other_stores_requested'
                WHEN store.is_supermarket IS NULL THEN 'never_discovered'
                WHEN NOT store.is_supermarket AND store.division IS NULL THEN 'no_online_store_id'
                WHEN NOT store.is_supermarket THEN 'not_a_supermarket'
                WHEN store.closed_at IS NOT NULL THEN 'closed'
                WHEN NOT store.is_trading THEN 'not_trading'
           END AS excluded, store.division, store.absences
      FROM core.store AS store
      LEFT JOIN ops.crawl_request AS request USING (retailer, store_id)
     WHERE store.retailer = %(retailer)s
), placed AS (
    -- within a class: longest unseen first; never-crawled ones one per state, then the second of each state …
    SELECT candidate.*,
           row_number() OVER (PARTITION BY excluded IS NULL, class ORDER BY complete_at, place_in_state, state, store_id) AS place_in_class,
           count(*) FILTER (WHERE excluded IS NULL AND class = 'requested') OVER () AS requested,
           count(*) FILTER (WHERE excluded IS NULL AND class = 'never_crawled') OVER () AS never_crawled
      FROM (SELECT *, row_number() OVER (PARTITION BY excluded IS NULL, class, state ORDER BY md5(store_id)) AS place_in_state FROM candidate) AS candidate
), ranked AS (
    SELECT placed.*,
           row_number() OVER (PARTITION BY excluded IS NULL
                                  ORDER BY CASE class WHEN 'requested' THEN 1
                                                      WHEN 'due' THEN CASE WHEN place_in_class <= %(store_budget)s - requested - least(%(new_store_budget)s, never_crawled) THEN 2 ELSE 4 END
                                                      WHEN 'never_crawled' THEN CASE WHEN place_in_class <= %(new_store_budget)s THEN 3 ELSE 5 END
                                                      ELSE 6 END,
                                           class, place_in_class) AS position
      FROM placed
)
INSERT INTO ops.crawl_plan AS known (night, retailer, store_id, position, decision, cause, reason, planned_at)
SELECT %(night)s, %(retailer)s, store_id, position,
       CASE WHEN excluded IS NOT NULL THEN 'excluded' WHEN %(store_ids)s::text[] IS NULL AND position > %(store_budget)s THEN 'deferred' ELSE 'crawl' END,
       CASE WHEN excluded IS NOT NULL THEN excluded
            WHEN %(store_ids)s::text[] IS NOT NULL THEN 'requested'
            WHEN position > %(store_budget)s THEN %(budget_cause)s::text
            ELSE class END,
       CASE excluded
            WHEN 'other_stores_requested' THEN 'not among the stores requested for this run'
            WHEN 'never_discovered' THEN 'never found by store discovery'
            WHEN 'no_online_store_id' THEN 'no online store id: its offers cannot be requested'
            WHEN 'not_a_supermarket' THEN format('not a supermarket (%%s)', division)
            WHEN 'closed' THEN format('treated as closed: not found by the last %%s discoveries', absences)
            WHEN 'not_trading' THEN 'not trading according to the store finder'
            ELSE CASE WHEN %(store_ids)s::text[] IS NOT NULL THEN 'requested for this run'
            ELSE concat_ws('; ',
                           CASE WHEN position > %(store_budget)s THEN %(budget_reason)s::text END,
                           CASE class WHEN 'requested' THEN format('requested: %%s', request)
                                      WHEN 'never_crawled' THEN format('never crawled (%%s)', coalesce(state, 'state unknown'))
                                      ELSE format('%%s: last complete store-day %%s', class, to_char(complete_at AT TIME ZONE 'Australia/Melbourne', 'YYYY-MM-DD HH24:MI')) END) END END,
       %(now)s
  FROM ranked
    ON CONFLICT (night, retailer, store_id) DO UPDATE
   SET position = excluded.position, decision = excluded.decision, cause = excluded.cause, reason = excluded.reason, planned_at = excluded.planned_at

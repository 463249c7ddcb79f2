-- Plan one retailer's night: requested stores first, then those whose last complete store-day is oldest, then never-crawled ones spread over the states.
--
-- Called by   include/stores/crawl_plan.py
-- Parameters  retailer text; night date; store_budget integer; store_ids text[] (null = all; otherwise only these, beyond any budget); now timestamptz
-- Reads       core.store, ops.crawl_request
-- Writes      ops.crawl_plan   one row per store of the retailer
-- Run again   same rows: the plan of the night is rewritten

WITH candidate AS (
    SELECT store.store_id, store.name, store.state, store.complete_at, request.reason AS request,
           CASE WHEN %(store_ids)s::text[] IS NOT NULL AND NOT store.store_id = ANY (%(store_ids)s) THEN 'not among the stores this run was asked for'
                WHEN NOT store.is_supermarket THEN format('no supermarket (%%s)', coalesce(store.division, 'no online range'))
                WHEN NOT store.is_trading THEN 'the store finder says it is not trading'
                WHEN store.is_supermarket IS NULL THEN 'never found by store discovery'
           END AS left_out
      FROM core.store AS store
      LEFT JOIN ops.crawl_request AS request USING (retailer, store_id)
     WHERE store.retailer = %(retailer)s
), ranked AS (
    SELECT candidate.*,
           row_number() OVER (PARTITION BY left_out IS NULL
                                  ORDER BY CASE WHEN request IS NOT NULL THEN 1 WHEN complete_at IS NOT NULL THEN 2 ELSE 3 END,
                                           complete_at, place_in_state, state, store_id) AS place
      FROM (SELECT *, row_number() OVER (PARTITION BY left_out IS NULL, request IS NOT NULL, complete_at IS NOT NULL, state ORDER BY md5(store_id)) AS place_in_state FROM candidate) AS candidate
)
INSERT INTO ops.crawl_plan AS known (night, retailer, store_id, place, decision, reason, planned_at)
SELECT %(night)s, %(retailer)s, store_id, place,
       CASE WHEN left_out IS NOT NULL THEN 'left_out' WHEN %(store_ids)s::text[] IS NULL AND place > %(store_budget)s THEN 'deferred' ELSE 'crawl' END,
       CASE WHEN left_out IS NOT NULL THEN left_out
            WHEN %(store_ids)s::text[] IS NOT NULL THEN 'asked for by this run'
            WHEN place > %(store_budget)s THEN format('the night''s budget of %%s stores is spent', %(store_budget)s::integer)
            WHEN request IS NOT NULL THEN format('requested: %%s', request)
            WHEN complete_at IS NOT NULL THEN format('due: last complete store-day %%s', to_char(complete_at AT TIME ZONE 'Australia/Melbourne', 'YYYY-MM-DD HH24:MI'))
            ELSE format('never crawled (%%s)', coalesce(state, 'state unknown')) END,
       %(now)s
  FROM ranked
    ON CONFLICT (night, retailer, store_id) DO UPDATE
   SET place = excluded.place, decision = excluded.decision, reason = excluded.reason, planned_at = excluded.planned_at

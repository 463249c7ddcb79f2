-- Plan one retailer's night: requested stores, due ones, members of groups to be verified, never-crawled ones spread over the states, then stores that are still current.
--
-- Called by   include/crawling/crawl_plan.py
-- Parameters  retailer text; night date; store_budget, new_store_budget integer: stores that fit, and how many of these are reserved for never-crawled ones;
--             budget_cause, budget_reason text: the limit that store_budget comes from; store_ids text[] (null = all; otherwise only these, beyond any budget); current_since timestamptz; week_starts jsonb: state → start of
--             its current price week, '' for an unknown state; verification_nights integer, verify_before timestamptz: a member seen before is verified in any case; now timestamptz
-- Reads       core.store, ops.crawl_request, core.store_group_member (present rows)
-- Writes      ops.crawl_plan   one row per store of the retailer
-- Run again   same rows: the plan of the night is rewritten
--
-- The order is that of include/crawling/plan_order.py, which the simulation of groups uses; a test compares both.

WITH leader AS (
    SELECT member.group_id, member.store_key, store.store_id
      FROM core.store_group_member AS member
      JOIN core.store AS store USING (store_key)
     WHERE member.until_at IS NULL AND member.is_anchor
), member AS (
    SELECT member.store_key, member.verified_at, leader.store_key AS anchor_store_key, leader.store_id AS anchor
      FROM core.store_group_member AS member
      JOIN leader USING (group_id)
     WHERE member.until_at IS NULL AND NOT member.is_anchor
), candidate AS (
    SELECT store.store_id, store.name, store.state, store.complete_at, request.reason AS request, member.anchor, member.verified_at,
           EXISTS (SELECT FROM member AS dependent WHERE dependent.anchor_store_key = store.store_key) AS has_members,
           CASE WHEN request.reason IS NOT NULL THEN 'requested'
                WHEN store.complete_at IS NULL THEN 'never_crawled'
                WHEN member.anchor IS NOT NULL THEN 'verification'
                WHEN store.complete_at < greatest(%(current_since)s, coalesce(%(week_starts)s::jsonb ->> coalesce(store.state, ''), %(week_starts)s::jsonb ->> '')::timestamptz) THEN 'due'
                ELSE 'current' END AS class,
           CASE WHEN %(store_ids)s::text[] IS NOT NULL AND NOT store.store_id = ANY (%(store_ids)s) THEN 'other_stores_requested'
                WHEN store.is_supermarket IS NULL THEN 'never_discovered'
                WHEN NOT store.is_supermarket AND store.division IS NULL THEN 'no_online_store_id'
                WHEN NOT store.is_supermarket THEN 'not_a_supermarket'
                WHEN store.closed_at IS NOT NULL THEN 'closed'
                WHEN NOT store.is_trading THEN 'not_trading'
           END AS barred, store.division, store.absences
      FROM core.store AS store
      LEFT JOIN ops.crawl_request AS request USING (retailer, store_id)
      LEFT JOIN member ON member.store_key = store.store_key
     WHERE store.retailer = %(retailer)s
), counted AS (
    -- within a class: anchors of groups, then longest unseen, unverified members first; never-crawled ones one per state, then the second of each state …
    SELECT candidate.*,
           row_number() OVER (PARTITION BY barred IS NULL, class ORDER BY has_members DESC, (class = 'verification' AND verified_at IS NULL) DESC, complete_at, place_in_state, state, store_id) AS place_in_class,
           count(*) OVER (PARTITION BY barred IS NULL, class) AS stores_in_class
      FROM (SELECT *, row_number() OVER (PARTITION BY barred IS NULL, class, state ORDER BY md5(store_id)) AS place_in_state FROM candidate) AS candidate
), chosen AS (
    SELECT counted.*,
           CASE WHEN barred IS NULL AND %(store_ids)s::text[] IS NULL AND class = 'verification' AND complete_at >= %(verify_before)s
                     AND place_in_class > ceil(stores_in_class::numeric / %(verification_nights)s) THEN 'inferred'
                ELSE barred END AS excluded
      FROM counted
), placed AS (
    SELECT chosen.*,
           row_number() OVER (PARTITION BY excluded IS NULL, class ORDER BY place_in_class) AS place,
           count(*) FILTER (WHERE excluded IS NULL AND class = 'requested') OVER () AS requested,
           count(*) FILTER (WHERE excluded IS NULL AND class = 'due') OVER () AS due,
           count(*) FILTER (WHERE excluded IS NULL AND class = 'never_crawled') OVER () AS never_crawled
      FROM chosen
), ranked AS (
    SELECT placed.*,
           row_number() OVER (PARTITION BY excluded IS NULL
                                  ORDER BY CASE class WHEN 'requested' THEN 1
                                                      WHEN 'due' THEN CASE WHEN place <= %(store_budget)s - requested - least(%(new_store_budget)s, never_crawled) THEN 2 ELSE 5 END
                                                      WHEN 'verification' THEN CASE WHEN place <= %(store_budget)s - requested - due - least(%(new_store_budget)s, never_crawled) THEN 3 ELSE 6 END
                                                      WHEN 'never_crawled' THEN CASE WHEN place <= %(new_store_budget)s THEN 4 ELSE 7 END
                                                      ELSE 8 END,
                                           place, store_id) AS position
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
            WHEN 'inferred' THEN format('its prices are inferred from store %%s; last complete store-day of its own %%s', anchor, to_char(complete_at AT TIME ZONE 'Australia/Melbourne', 'YYYY-MM-DD HH24:MI'))
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

-- Measure each store-day of a round, with the figures of its store's past ones, for the store-level rules.
--
-- Called by   include/ingestion/checks/measuring.py, after lines are marked
-- Parameters  file_ids bigint[], week_starts timestamptz[] (parallel: the price week of each store-day); drift_days integer: age of the store-days that drifts are
--             measured against; category_share double precision: only categories of at least this share of an earlier store-day count;
--             category_left_share double precision: a category with a smaller share left is lost
-- Reads       ops.staged_file (statistics, movement), ops.data_quality_result, broken_line, core.store
-- Run again   same result while the ledger is the same
--
-- refused: without the lines that are too far from their known price, which a rule of their own counts.
-- Past store-days are published ones before this one. past_… are medians over the last five complete ones, typical_goods too; without any, over the last
-- five. Drifts begin after the last store-day that a person released: it was found to be right.

WITH past AS MATERIALIZED (
    SELECT f.*, max(f.observed_at) FILTER (WHERE f.is_released) OVER (PARTITION BY f.of_file_id) AS released_at,
           row_number() OVER (PARTITION BY f.of_file_id ORDER BY f.observed_at DESC, f.file_id DESC) AS nth,
           row_number() OVER (PARTITION BY f.of_file_id, f.is_complete ORDER BY f.observed_at DESC, f.file_id DESC) AS nth_of_kind
      FROM (SELECT file.file_id AS of_file_id, file.observed_at - make_interval(days => %(drift_days)s) AS drifts_from, last.*
              FROM ops.staged_file AS file
             CROSS JOIN LATERAL (SELECT f.file_id, f.observed_at, f.is_complete, f.decided_by IS NOT NULL AS is_released, f.goods, f.rows, f.unavailable, f.statistics, f.movement
                                   FROM ops.staged_file AS f
                                  WHERE f.retailer = file.retailer AND f.store_id = file.store_id AND f.is_past_store_day AND NOT f.is_partial_on_request
                                    AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                                  ORDER BY f.observed_at DESC, f.file_id DESC
                                  LIMIT 40) AS last
             WHERE file.file_id = ANY (%(file_ids)s)) AS f
), drifting AS MATERIALIZED (
    SELECT * FROM past WHERE observed_at >= drifts_from AND (released_at IS NULL OR observed_at >= released_at)
), medians AS (
    SELECT of_file_id, count(*) FILTER (WHERE is_last)::integer AS past_files, percentile_cont(0.5) WITHIN GROUP (ORDER BY past.goods) FILTER (WHERE is_last) AS past_goods,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY past.goods) FILTER (WHERE nth <= 5) AS any_goods,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY (filled ->> 'brand')::integer / named) FILTER (WHERE is_last) AS past_brand,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY (filled ->> 'size')::integer / named) FILTER (WHERE is_last) AS past_size,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY (filled ->> 'unit_price')::integer / named) FILTER (WHERE is_last) AS past_unit_price,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY (filled ->> 'category')::integer / named) FILTER (WHERE is_last) AS past_category,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY (filled ->> 'barcode')::integer / named) FILTER (WHERE is_last) AS past_barcode,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY past.unavailable / nullif(past.goods, 0)::double precision) FILTER (WHERE is_last) AS past_unavailable,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(damaged.failed, 0) / nullif(past.rows, 0)::double precision) FILTER (WHERE is_last) AS past_damaged
      FROM past
      LEFT JOIN ops.data_quality_result AS damaged ON damaged.file_id = past.file_id AND damaged.rule_id = 'text_damaged' AND damaged.file_id = ANY (ARRAY(SELECT file_id FROM past))
     CROSS JOIN LATERAL (SELECT is_complete AND nth_of_kind <= 5 AS is_last, statistics -> 'filled' AS filled,
                                nullif((statistics -> 'filled' ->> 'name')::double precision, 0) AS named) AS values
     GROUP BY of_file_id
), baseline AS (  -- the last complete store-day, and the oldest since drifts are measured
    SELECT of_file_id, observed_at, file_id, goods, statistics FROM past WHERE is_complete AND nth_of_kind = 1
     UNION ALL
    (SELECT DISTINCT ON (of_file_id) of_file_id, observed_at, file_id, goods, statistics FROM drifting WHERE is_complete ORDER BY of_file_id, observed_at, file_id)
), oldest AS (
    SELECT DISTINCT ON (of_file_id) of_file_id, goods FROM baseline ORDER BY of_file_id, observed_at, file_id
), lost AS (
    SELECT of_file_id, sum(lines - remaining) AS lines, min(observed_on) AS since,
           string_agg(format('%%s (%%s of %%s rows left)', name, remaining, lines), ', ' ORDER BY name) AS categories
      FROM (SELECT DISTINCT ON (last.of_file_id, known.key) last.of_file_id, known.key AS name, known.value::integer AS lines, left_over.lines AS remaining, last.observed_at::date AS observed_on
              FROM baseline AS last
              JOIN ops.staged_file AS file ON file.file_id = last.of_file_id AND file.file_id = ANY (%(file_ids)s)
             CROSS JOIN LATERAL jsonb_each_text(last.statistics -> 'categories') AS known
             CROSS JOIN LATERAL (SELECT coalesce((file.statistics -> 'categories' ->> known.key)::integer, 0) AS lines) AS left_over
                   -- the second level counts below a trunk that holds most of the store: a site whose categories hang under one
             WHERE (position(' > ' IN known.key) = 0 OR (last.statistics -> 'categories' ->> split_part(known.key, ' > ', 1))::integer > 0.5 * last.goods)
               AND known.value::integer >= %(category_share)s * last.goods AND left_over.lines < %(category_left_share)s * known.value::integer
             ORDER BY last.of_file_id, known.key, last.observed_at DESC, last.file_id DESC) AS category
     GROUP BY of_file_id
), week AS (
    SELECT of_file_id, sum((movement ->> 'changed')::integer)::integer AS changed
      FROM past
      JOIN unnest(%(file_ids)s::bigint[], %(week_starts)s::timestamptz[]) AS week (file_id, starts_at) ON week.file_id = past.of_file_id
     WHERE past.observed_at >= week.starts_at
     GROUP BY of_file_id
), drift AS (
    SELECT of_file_id, jsonb_object_agg(category, jsonb_build_array(compared, log_sum)) AS levels
      FROM (SELECT of_file_id, level.key AS category, max((level.value ->> 0)::integer) AS compared, sum((level.value ->> 1)::double precision) AS log_sum
              FROM drifting
             CROSS JOIN LATERAL jsonb_each(movement -> 'levels') AS level
             WHERE released_at IS NULL OR observed_at > released_at
             GROUP BY of_file_id, level.key) AS summed
     GROUP BY of_file_id
), broken AS (
    SELECT file_id, count(*) FILTER (WHERE reasons <> '{}' AND NOT 'price_far_from_known' = ANY (reasons)) AS refused, count(*) FILTER (WHERE 'text_damaged' = ANY (warnings)) AS damaged FROM broken_line GROUP BY file_id
)
SELECT file.file_id, file.observed_at, file.last_observed_at, file.rows, file.goods, file.unavailable, file.is_complete, file.decided_by IS NOT NULL AS is_released, file.is_partial_on_request,
       coalesce(broken.refused, 0) AS refused, coalesce(broken.damaged, 0) AS damaged, file.statistics -> 'filled' AS filled,
       coalesce(medians.past_files, 0) AS past_files, medians.past_goods, medians.past_brand, medians.past_size, medians.past_unit_price, medians.past_category, medians.past_barcode,
       medians.past_unavailable, medians.past_damaged, coalesce(medians.past_goods, medians.any_goods) AS typical_goods, oldest.goods AS oldest_goods,
       coalesce(lost.lines, 0)::integer AS lost_lines, lost.categories AS lost_categories, lost.since AS lost_since, coalesce(week.changed, 0) AS week_changed, coalesce(drift.levels, '{}') AS drift,
       (SELECT newest.observed_at
          FROM ops.staged_file AS newest
         WHERE newest.file_id = (SELECT store.complete_file_id FROM core.store AS store WHERE store.retailer = file.retailer AND store.store_id = file.store_id)
           AND newest.night < file.night AND newest.observed_at > file.last_observed_at) AS newer_published_at
  FROM ops.staged_file AS file
  LEFT JOIN broken ON broken.file_id = file.file_id
  LEFT JOIN medians ON medians.of_file_id = file.file_id
  LEFT JOIN oldest ON oldest.of_file_id = file.file_id
  LEFT JOIN lost ON lost.of_file_id = file.file_id AND file.is_complete
  LEFT JOIN week ON week.of_file_id = file.file_id
  LEFT JOIN drift ON drift.of_file_id = file.file_id
 WHERE file.file_id = ANY (%(file_ids)s)
 ORDER BY file.file_id

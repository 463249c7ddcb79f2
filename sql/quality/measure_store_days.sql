-- Measure each store-day of a batch, with the figures of its store's last ones, for the store-level rules.
--
-- Called by   include/ingestion/checks/measuring.py, after lines are marked
-- Parameters  file_ids bigint[]; category_share double precision: only categories of at least this share of the last store-day count;
--             category_left_share double precision: a category with a smaller share left is lost
-- Reads       ops.staged_file (statistics), ops.data_quality_result, broken_line, core.store
-- Run again   same result while the ledger is the same
--
-- `past` are medians over the store's last five complete store-days, `usual` over its last five of any kind that are not partial on request:
-- published ones, and those that are checked or about to be published before this one.

SELECT file.file_id, file.store_id, file.night, file.manifest ->> 'state' AS state, file.observed_at, file.last_observed_at, file.rows, file.goods, file.unavailable, file.is_complete,
       file.decided_by IS NOT NULL AS is_released,
       file.is_partial_on_request,
       coalesce(broken.refused, 0) AS refused, coalesce(broken.damaged, 0) AS damaged,
       file.statistics -> 'filled' AS filled,
       past.*, usual.goods AS typical_goods, coalesce(lost.lines, 0)::integer AS lost_lines, lost.categories AS lost_categories, lost.since AS lost_since, before.file_id AS before_id,
       (SELECT newest.observed_at
          FROM ops.staged_file AS newest
         WHERE newest.file_id = (SELECT store.complete_file_id FROM core.store AS store WHERE store.retailer = file.retailer AND store.store_id = file.store_id)
           AND newest.night < file.night AND newest.observed_at > file.last_observed_at) AS newer_published_at
  FROM ops.staged_file AS file
  LEFT JOIN (SELECT line.file_id, count(*) FILTER (WHERE reasons <> '{}') AS refused,
                    count(*) FILTER (WHERE 'text_damaged' = ANY (warnings)) AS damaged
               FROM broken_line AS line GROUP BY line.file_id) AS broken ON broken.file_id = file.file_id
 CROSS JOIN LATERAL (SELECT count(*)::integer AS past_files, percentile_cont(0.5) WITHIN GROUP (ORDER BY last.goods) AS past_goods,
                            percentile_cont(0.5) WITHIN GROUP (ORDER BY (last.filled ->> 'brand')::integer / last.named) AS past_brand,
                            percentile_cont(0.5) WITHIN GROUP (ORDER BY (last.filled ->> 'size')::integer / last.named) AS past_size,
                            percentile_cont(0.5) WITHIN GROUP (ORDER BY (last.filled ->> 'unit_price')::integer / last.named) AS past_unit_price,
                            percentile_cont(0.5) WITHIN GROUP (ORDER BY (last.filled ->> 'category')::integer / last.named) AS past_category,
                            percentile_cont(0.5) WITHIN GROUP (ORDER BY (last.filled ->> 'barcode')::integer / last.named) AS past_barcode,
                            percentile_cont(0.5) WITHIN GROUP (ORDER BY last.unavailable) AS past_unavailable,
                            percentile_cont(0.5) WITHIN GROUP (ORDER BY last.damaged) AS past_damaged
                       FROM (SELECT f.goods, f.statistics -> 'filled' AS filled, nullif((f.statistics -> 'filled' ->> 'name')::double precision, 0) AS named,
                                    f.unavailable / nullif(f.goods, 0)::double precision AS unavailable,
                                    coalesce((SELECT r.failed FROM ops.data_quality_result AS r WHERE r.file_id = f.file_id AND r.rule_id = 'text_damaged'), 0)
                                        / nullif(f.rows, 0)::double precision AS damaged
                               FROM ops.staged_file AS f
                              WHERE f.retailer = file.retailer AND f.store_id = file.store_id AND f.is_complete
                                AND (f.is_past_store_day OR f.state = 'loaded')
                                AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                              ORDER BY f.observed_at DESC, f.file_id DESC
                              LIMIT 5) AS last) AS past
 CROSS JOIN LATERAL (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY last.goods) AS goods
                       FROM (SELECT f.goods
                               FROM ops.staged_file AS f
                              WHERE f.retailer = file.retailer AND f.store_id = file.store_id
                                AND NOT f.is_partial_on_request
                                AND (f.is_past_store_day OR f.state = 'loaded')
                                AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                              ORDER BY f.observed_at DESC, f.file_id DESC
                              LIMIT 5) AS last) AS usual
  LEFT JOIN LATERAL (SELECT sum(category.lines - category.remaining) AS lines, max(category.observed_at) AS since,
                            string_agg(format('%%s (%%s of %%s rows left)', category.name, category.remaining, category.lines), ', ' ORDER BY category.name) AS categories
                       FROM (SELECT last.observed_at, last.goods, known.key AS name, known.value::integer AS lines,
                                    coalesce((file.statistics -> 'categories' ->> known.key)::integer, 0) AS remaining,
                                    -- the second level counts below a trunk that holds most of the store: a site whose categories hang under one
                                    position(' > ' IN known.key) = 0
                                        OR (last.statistics -> 'categories' ->> split_part(known.key, ' > ', 1))::integer > 0.5 * last.goods AS is_counted
                               FROM (SELECT f.observed_at, f.goods, f.statistics
                                       FROM ops.staged_file AS f
                                      WHERE f.retailer = file.retailer AND f.store_id = file.store_id AND f.is_complete
                                        AND (f.is_past_store_day OR f.state = 'loaded')
                                        AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                                      ORDER BY f.observed_at DESC, f.file_id DESC
                                      LIMIT 1) AS last
                              CROSS JOIN LATERAL jsonb_each_text(last.statistics -> 'categories') AS known) AS category
                      WHERE category.is_counted AND category.lines >= %(category_share)s * category.goods
                        AND category.remaining < %(category_left_share)s * category.lines) AS lost ON file.is_complete
  LEFT JOIN LATERAL (SELECT f.file_id
                       FROM ops.staged_file AS f
                      WHERE f.retailer = file.retailer AND f.store_id = file.store_id AND f.state = 'loaded'
                        AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                      ORDER BY f.observed_at DESC, f.file_id DESC
                      LIMIT 1) AS before ON true
 WHERE file.file_id = ANY (%(file_ids)s)
 ORDER BY file.file_id

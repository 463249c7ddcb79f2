-- Store-day rule category_lost: top categories of the store's last complete store-day that are gone altogether.
--
-- Called by   include/quality/gate.py
-- Parameters  file_ids bigint[]; category_share double precision: only categories of at least this share of that store-day count
-- Reads       ops.staged_file (statistics)
-- Run again   same answer while the ledger is the same

SELECT file.file_id, file.rows AS checked, coalesce(sum(past.lines), 0)::integer AS failed,
       coalesce(format('gone since %%s: %%s', max(past.observed_at)::date, string_agg(format('%%s (%%s rows)', past.category, past.lines), ', ' ORDER BY past.category)),
                'every large category is there') AS detail
  FROM ops.staged_file AS file
  LEFT JOIN LATERAL (SELECT last.observed_at, category.key AS category, category.value::integer AS lines
                       FROM (SELECT f.observed_at, f.rows, f.statistics
                               FROM ops.staged_file AS f
                              WHERE f.retailer = file.retailer AND f.store_id = file.store_id AND f.is_complete
                                AND (f.state IN ('loaded', 'published') OR f.state = 'superseded' AND f.published_at IS NOT NULL)  -- older than the newest, and whole all the same
                                AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                              ORDER BY f.observed_at DESC, f.file_id DESC
                              LIMIT 1) AS last
                      CROSS JOIN LATERAL jsonb_each_text(last.statistics -> 'categories') AS category
                      WHERE category.value::integer >= %(category_share)s * last.rows
                        AND NOT file.statistics -> 'categories' ? category.key) AS past ON true
 WHERE file.file_id = ANY (%(file_ids)s) AND file.is_complete
 GROUP BY file.file_id

-- The baseline for the completeness of a file without a manifest: the store's last complete store-day, else the retailer's median.
--
-- Called by   include/ledger/completeness.py, file by file in time order
-- Parameters  file_id bigint; baseline_days integer
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same
--
-- Of a store-day of the same import that is not checked yet, the median takes the lines with a name.

SELECT last_complete.goods AS last_complete_goods, last_complete.observed_at AS last_complete_at,
       median.goods AS median_goods, median.files AS median_files
  FROM ops.staged_file AS file
  LEFT JOIN LATERAL (SELECT f.goods, f.observed_at
                       FROM ops.staged_file AS f
                      WHERE f.retailer = file.retailer AND f.store_id = file.store_id AND f.is_complete
                        AND (f.is_past_store_day OR f.state = 'loaded' AND f.goods IS NOT NULL)
                        AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                      ORDER BY f.observed_at DESC, f.file_id DESC
                      LIMIT 1) AS last_complete ON true
  LEFT JOIN LATERAL (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(f.goods, (f.statistics -> 'filled' ->> 'name')::integer)) AS goods, count(*) AS files
                       FROM ops.staged_file AS f
                      WHERE last_complete.goods IS NULL AND f.retailer = file.retailer AND f.file_id <> file.file_id  -- only if needed
                        AND (f.is_past_store_day OR f.state = 'loaded')
                        AND f.observed_at BETWEEN file.observed_at - make_interval(days => %(baseline_days)s)
                                              AND file.observed_at + make_interval(days => %(baseline_days)s)) AS median ON true
 WHERE file.file_id = %(file_id)s

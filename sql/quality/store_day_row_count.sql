-- Store-day rule row_count: a complete store-day against the median of the store's last five complete ones.
--
-- Called by   include/quality/gate.py
-- Parameters  file_ids bigint[]; row_count_share double precision
-- Reads       ops.staged_file
-- Run again   same answer while the ledger is the same

SELECT file.file_id, file.rows AS checked,
       CASE WHEN file.rows < %(row_count_share)s * past.rows THEN round(past.rows - file.rows)::integer ELSE 0 END AS failed,
       format('%%s rows, the median of its last %%s complete store-days is %%s', file.rows, past.files, past.rows) AS detail
  FROM ops.staged_file AS file
 CROSS JOIN LATERAL (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY rows) AS rows, count(*) AS files
                       FROM (SELECT f.rows
                               FROM ops.staged_file AS f
                              WHERE f.retailer = file.retailer AND f.store_id = file.store_id AND f.is_complete
                                AND (f.state IN ('loaded', 'published') OR f.state = 'superseded' AND f.published_at IS NOT NULL)  -- older than the newest, and whole all the same
                                AND (f.observed_at, f.file_id) < (file.observed_at, file.file_id)
                              ORDER BY f.observed_at DESC, f.file_id DESC
                              LIMIT 5) AS last_ones) AS past
 WHERE file.file_id = ANY (%(file_ids)s) AND file.is_complete AND past.files > 0

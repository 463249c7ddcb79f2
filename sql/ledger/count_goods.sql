-- Count the goods of checked store-days: distinct SKUs accepted. A doubled or refused line is no good.
--
-- Called by   include/ledger/settling.py, after lines are marked
-- Parameters  file_ids bigint[]
-- Reads       staging.offer
-- Writes      ops.staged_file   goods; unavailable: those of them without a price
-- Run again   nothing written

UPDATE ops.staged_file AS file
   SET goods = counted.goods, unavailable = counted.unavailable
  FROM (SELECT checked.file_id, coalesce(accepted.goods, 0) AS goods, coalesce(accepted.unavailable, 0) AS unavailable
          FROM unnest(%(file_ids)s::bigint[]) AS checked (file_id)
          LEFT JOIN (SELECT file_id, count(*)::integer AS goods, count(*) FILTER (WHERE price IS NULL)::integer AS unavailable
                       FROM staging.offer
                      WHERE file_id = ANY (%(file_ids)s) AND reasons IS NULL AND NOT is_folded
                      GROUP BY file_id) AS accepted USING (file_id)) AS counted
 WHERE file.file_id = ANY (%(file_ids)s) AND file.file_id = counted.file_id
   AND (file.goods, file.unavailable) IS DISTINCT FROM (counted.goods, counted.unavailable)

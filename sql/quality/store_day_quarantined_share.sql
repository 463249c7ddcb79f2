-- Store-day rule quarantined_share: refused lines against all lines.
--
-- Called by   include/quality/gate.py, after lines are marked
-- Parameters  file_ids bigint[]; quarantined_share double precision
-- Reads       staging.offer
-- Run again   same answer

SELECT file_id, count(*)::integer AS checked,
       CASE WHEN count(reasons) > %(quarantined_share)s * count(*) THEN count(reasons)::integer ELSE 0 END AS failed,
       format('%%s of %%s lines refused', count(reasons), count(*)) AS detail
  FROM staging.offer
 WHERE file_id = ANY (%(file_ids)s)
 GROUP BY file_id

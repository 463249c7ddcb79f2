-- Record that a file is loaded, with the statistics that store-level rules of later nights compare with: duplicates do not count.
--
-- Called by   include/ledger/settling.py, in the transaction that copied the rows
-- Parameters  file_id bigint; now timestamptz
-- Reads       staging.offer
-- Writes      ops.staged_file   waiting becomes loaded, to be checked; statistics
-- Run again   same rows: the statistics are rewritten

UPDATE ops.staged_file
   SET state = CASE state WHEN 'waiting' THEN 'loaded' ELSE state END,
       loaded_at = %(now)s, check_version = NULL,
       goods = (SELECT count(*) FROM staging.offer WHERE file_id = %(file_id)s AND sku IS NOT NULL AND defects IS NULL AND NOT is_folded),
       statistics = jsonb_build_object(
           'categories', (SELECT coalesce(jsonb_object_agg(category, lines ORDER BY category), '{}')  -- first level, and first two
                            FROM (SELECT CASE level.depth WHEN 1 THEN path[1] ELSE path[1] || ' > ' || path[2] END AS category, sum(lines) AS lines
                                    FROM (SELECT string_to_array(category, ' > ') AS path, count(*) AS lines
                                            FROM staging.offer
                                           WHERE file_id = %(file_id)s AND category IS NOT NULL AND NOT is_folded
                                           GROUP BY category) AS leaf
                                   CROSS JOIN (VALUES (1), (2)) AS level (depth)
                                   WHERE cardinality(path) >= level.depth
                                   GROUP BY 1) AS counted),
           'filled', (SELECT jsonb_build_object('name', count(name), 'brand', count(brand), 'size', count(size), 'price', count(price),
                                                'barcode', count(gtins), 'unit_price', count(unit_price), 'category', count(category))
                        FROM staging.offer
                       WHERE file_id = %(file_id)s AND NOT is_folded))
 WHERE file_id = %(file_id)s

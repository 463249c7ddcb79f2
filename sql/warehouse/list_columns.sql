-- Every table, view and column with its type and comment.
--
-- Called by   include/warehouse/dictionary.py
-- Parameters  schemas text[]
-- Reads       pg_class, pg_namespace, pg_attribute, pg_index
-- Run again   same result until the next migration

SELECT n.nspname AS schema, c.relname AS relation,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END
       || CASE c.relpersistence WHEN 'u' THEN ', unlogged' ELSE '' END AS kind,
       obj_description(c.oid, 'pg_class') AS relation_comment,
       a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AND c.relkind = 'r' AS is_nullable,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY(i.indkey)) AS is_key,
       col_description(c.oid, a.attnum) AS comment
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
 ORDER BY array_position(%(schemas)s, n.nspname), c.relname COLLATE "C", a.attnum

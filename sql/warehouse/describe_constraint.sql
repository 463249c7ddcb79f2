-- Describe the constraint or index in an error: definition and columns.
--
-- Called by   include/warehouse/database_errors.py
-- Parameters  name text; schema text, relation text (null = any)
-- Reads       pg_constraint, pg_index, pg_attribute, pg_class, pg_namespace
-- Run again   same result

SELECT pg_get_constraintdef(c.oid) AS definition,
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = ANY (c.conkey) ORDER BY array_position(c.conkey, attnum)) AS columns
  FROM pg_constraint AS c
  JOIN pg_class AS t ON t.oid = c.conrelid
  JOIN pg_namespace AS n ON n.oid = t.relnamespace
 WHERE c.conname = %(name)s AND n.nspname = coalesce(%(schema)s, n.nspname) AND t.relname = coalesce(%(relation)s, t.relname)
 UNION ALL
SELECT pg_get_indexdef(i.indexrelid),
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = ANY (i.indkey))
  FROM pg_index AS i
  JOIN pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_namespace AS n ON n.oid = x.relnamespace
 WHERE x.relname = %(name)s AND n.nspname = coalesce(%(schema)s, n.nspname)
 LIMIT 1

-- The schemas with their comments.
--
-- Called by   include/warehouse/dictionary.py
-- Parameters  schemas text[]
-- Reads       pg_namespace
-- Run again   same result until the next migration

SELECT nspname AS schema, obj_description(oid, 'pg_namespace') AS comment
  FROM pg_namespace WHERE nspname = ANY(%(schemas)s)

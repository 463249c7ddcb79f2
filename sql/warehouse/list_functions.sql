-- Every function with its result and comment.
--
-- Called by   include/warehouse/dictionary.py
-- Parameters  schemas text[]
-- Reads       pg_proc, pg_namespace
-- Run again   same result until the next migration

SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS function,
       pg_get_function_result(p.oid) AS result, obj_description(p.oid, 'pg_proc') AS comment
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = ANY(%(schemas)s) AND p.prokind = 'f'
 ORDER BY n.nspname, p.proname COLLATE "C", p.oid

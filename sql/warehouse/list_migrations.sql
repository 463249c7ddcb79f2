-- The migrations that made the warehouse, with the content they ran with.
--
-- Called by   include/warehouse/migrations.py, for aisleflow doctor
-- Reads       ops.applied_migration
-- Run again   same answer

SELECT revision, content_hash FROM ops.applied_migration ORDER BY revision

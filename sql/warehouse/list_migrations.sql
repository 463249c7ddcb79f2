-- List the migrations that ran, with the hashes of their content.
--
-- Called by   include/warehouse/migrations.py, for aisleflow doctor
-- Reads       ops.applied_migration
-- Run again   same result

SELECT revision, content_hash FROM ops.applied_migration ORDER BY revision

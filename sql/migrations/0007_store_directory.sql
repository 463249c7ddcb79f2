-- Store discovery in full: stores that finders no longer know.
--
-- Called by   include/warehouse/migrations.py, revision 0007, in one transaction
-- Run again   never: Alembic's version table remembers; forward only

ALTER TABLE core.store
    ADD COLUMN absences  integer NOT NULL DEFAULT 0,
    ADD COLUMN absent_on date,
    ADD COLUMN closed_at timestamptz;
COMMENT ON COLUMN core.store.is_confirmed IS 'Found by store discovery or in an imported directory. False: known only from a staged file, prices are published and marked.';
COMMENT ON COLUMN core.store.discovered_at IS 'When store discovery last saw it, or the instant its directory gives.';
COMMENT ON COLUMN core.store.absences IS 'Discoveries in a row, on different days, whose answer did not hold this store.';
COMMENT ON COLUMN core.store.absent_on IS 'Melbourne date of the last discovery that counted it absent: a repeated one does not count twice.';
COMMENT ON COLUMN core.store.closed_at IS 'When it was taken for closed, after AISLEFLOW_STORE_ABSENCES_MAX absences in a row. Its prices stay; found again, it is open again.';

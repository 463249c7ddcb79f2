-- Results of checks: which check found them, rules about a whole retailer, the suite's own result for Data Docs.
--
-- Called by   include/warehouse/migrations.py, revision 0003, in one transaction
-- Run again   never: Alembic's version table remembers; forward only

CREATE TABLE ops.quality_check (
    check_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer          text NOT NULL,
    catalogue_version text NOT NULL,
    files_hash        text NOT NULL,
    files             integer NOT NULL,
    lines             bigint NOT NULL,
    nights            date[] NOT NULL,
    broken            jsonb NOT NULL,
    held              integer NOT NULL,
    evaluation        jsonb,
    checked_at        timestamptz NOT NULL,
    UNIQUE (retailer, catalogue_version, files_hash)
);
COMMENT ON TABLE ops.quality_check IS 'Every check of a batch: all store-days of one retailer that were loaded and not yet checked. One row per batch and version of the rule catalogue.';
COMMENT ON COLUMN ops.quality_check.check_id IS 'Surrogate key.';
COMMENT ON COLUMN ops.quality_check.retailer IS 'The retailer.';
COMMENT ON COLUMN ops.quality_check.catalogue_version IS 'Version of the rule catalogue (include/model/rules.py).';
COMMENT ON COLUMN ops.quality_check.files_hash IS 'MD5 of the ids of its staged files: a check that is repeated rewrites its row.';
COMMENT ON COLUMN ops.quality_check.files IS 'Store-days checked.';
COMMENT ON COLUMN ops.quality_check.lines IS 'Lines checked.';
COMMENT ON COLUMN ops.quality_check.nights IS 'Nights of the store-days, in order.';
COMMENT ON COLUMN ops.quality_check.broken IS 'Lines per row rule of the catalogue, zeros too.';
COMMENT ON COLUMN ops.quality_check.held IS 'Store-days this check held.';
COMMENT ON COLUMN ops.quality_check.evaluation IS 'Result of the Great Expectations suite as the library writes it, for Data Docs; kept for the newest checks of a retailer, else null.';
COMMENT ON COLUMN ops.quality_check.checked_at IS 'When.';

ALTER TABLE ops.data_quality_result
    ADD COLUMN check_id bigint REFERENCES ops.quality_check,
    DROP CONSTRAINT data_quality_result_scope_check,
    ADD CONSTRAINT data_quality_result_scope_check CHECK (scope IN ('row', 'store_day', 'retailer'));
CREATE INDEX data_quality_result_failed ON ops.data_quality_result (check_id) WHERE NOT is_passed;
COMMENT ON COLUMN ops.data_quality_result.check_id IS 'The check that found it (ops.quality_check); null for results of before 0003.';
COMMENT ON COLUMN ops.data_quality_result.scope IS 'row: judges single lines; store_day: judges the file; retailer: judges all store-days of the check, its figures are those of the whole batch.';
COMMENT ON COLUMN ops.data_quality_result.severity IS 'critical holds the store-day (scope retailer: every store-day of the batch), refuse quarantines the line, warning tells a person.';
COMMENT ON COLUMN ops.data_quality_result.checked IS 'Lines, prices or store-days looked at.';
COMMENT ON COLUMN ops.data_quality_result.failed IS 'Those of them that break the rule; 0 while it is within its limit.';
COMMENT ON COLUMN ops.data_quality_result.detail IS 'What was found against what was expected, for a person; of a row rule the first lines that break it.';

CREATE VIEW ops.quality_result AS
SELECT file.retailer, file.night, file.store_id, result.file_id, file.state, result.scope, result.rule_id, result.severity, result.is_passed,
       result.severity = 'critical' AND NOT result.is_passed AND file.state = 'held' AS is_holding,
       result.checked, result.failed, result.detail, result.check_id, result.checked_at
  FROM ops.data_quality_result AS result
  JOIN ops.staged_file AS file USING (file_id);
COMMENT ON VIEW ops.quality_result IS 'What the checks said, with retailer, night and store: for operators. One row per (file, rule); row rules only where they found something.';
COMMENT ON COLUMN ops.quality_result.retailer IS 'The retailer.';
COMMENT ON COLUMN ops.quality_result.night IS 'Night of the store-day.';
COMMENT ON COLUMN ops.quality_result.store_id IS 'The store.';
COMMENT ON COLUMN ops.quality_result.file_id IS 'The staged file.';
COMMENT ON COLUMN ops.quality_result.state IS 'What became of the file (ops.staged_file.state).';
COMMENT ON COLUMN ops.quality_result.scope IS 'row, store_day or retailer.';
COMMENT ON COLUMN ops.quality_result.rule_id IS 'The rule (docs/quality.md).';
COMMENT ON COLUMN ops.quality_result.severity IS 'critical, refuse or warning.';
COMMENT ON COLUMN ops.quality_result.is_passed IS 'False: the rule found something.';
COMMENT ON COLUMN ops.quality_result.is_holding IS 'True: this result holds the file now.';
COMMENT ON COLUMN ops.quality_result.checked IS 'Lines, prices or store-days looked at.';
COMMENT ON COLUMN ops.quality_result.failed IS 'Those of them that break the rule.';
COMMENT ON COLUMN ops.quality_result.detail IS 'What was found against what was expected.';
COMMENT ON COLUMN ops.quality_result.check_id IS 'The check (ops.quality_check).';
COMMENT ON COLUMN ops.quality_result.checked_at IS 'When.';

COMMENT ON COLUMN ops.staged_file.statistics IS 'Rows per category (first level, and first two) and filled values per field, for the store-level rules of later nights.';

-- Decisions about held store-days, refused lines and published store-days that are taken back.
--
-- Called by   include/warehouse/migrations.py, revision 0004, in one transaction
-- Run again   never: Alembic's version table remembers; forward only

ALTER TABLE ops.staged_file
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN question_run_id  text,
    ADD COLUMN question_asked_at   timestamptz;
COMMENT ON COLUMN ops.staged_file.decided_at IS 'When it was released, discarded or taken back.';
COMMENT ON COLUMN ops.staged_file.question_run_id IS 'Run of decide_held that asks a person about this held store-day: nobody is asked twice. Null: nobody was asked yet.';
COMMENT ON COLUMN ops.staged_file.question_asked_at IS 'When that run took the question on.';

CREATE TABLE ops.decision (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id     bigint NOT NULL REFERENCES ops.staged_file,
    choice      text NOT NULL CHECK (choice IN ('release', 'discard', 'leave', 'unanswered', 'recheck', 'retract')),
    rule_id     text,
    lines       integer,
    decided_by  text NOT NULL,
    decision_reason text NOT NULL,
    decided_via text NOT NULL CHECK (decided_via IN ('command line', 'Airflow')),
    decided_at  timestamptz NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX decision_file ON ops.decision (file_id);
COMMENT ON TABLE ops.decision IS 'Every decision a person took about a staged file or its refused lines, in order. Rows are only ever added. One row per decision and file.';
COMMENT ON COLUMN ops.decision.decision_id IS 'Order of the decisions.';
COMMENT ON COLUMN ops.decision.file_id IS 'The staged file.';
COMMENT ON COLUMN ops.decision.choice IS 'release (publish after all), discard (never publish), leave (look again later), unanswered (nobody answered in time: still held), recheck (read again after a rule or the reader changed), retract (take a published store-day back).';
COMMENT ON COLUMN ops.decision.rule_id IS 'All refused lines of this rule; null = lines named one by one, or the whole file.';
COMMENT ON COLUMN ops.decision.lines IS 'Refused lines the decision is about; null = the whole file.';
COMMENT ON COLUMN ops.decision.decided_by IS 'The user who answered in the Airflow UI, or who ran the command.';
COMMENT ON COLUMN ops.decision.decision_reason IS 'The reason given.';
COMMENT ON COLUMN ops.decision.decided_via IS 'Where it was decided: command line or Airflow.';
COMMENT ON COLUMN ops.decision.decided_at IS 'When.';
COMMENT ON COLUMN ops.decision.detail IS 'What it did, in counts; after a retraction also the SKUs whose earlier price is not known.';

ALTER TABLE ops.quarantined_offer
    ADD COLUMN outcome text CHECK (outcome IN ('published', 'unavailable', 'outdated', 'folded'));
CREATE INDEX quarantined_offer_undecided ON ops.quarantined_offer (retailer, file_id) WHERE state = 'quarantined';
COMMENT ON COLUMN ops.quarantined_offer.outcome IS 'What became of a released line: published; unavailable (it has no price); outdated (something newer was known, its price was not taken); folded (equal to another line of its file).';

ALTER TABLE core.price
    ADD COLUMN retracted_at timestamptz;
COMMENT ON COLUMN core.price.retracted_at IS 'When the only known price of this row was taken back: the row stays, delisted, so that incremental readers hear of it; its price is not to be believed. Null again with the next observed price.';

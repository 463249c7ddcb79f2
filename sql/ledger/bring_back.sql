-- Return a refused, discarded or retracted file to the start of ingestion, as if it came for the first time.
--
-- One that was refused before it was read is superseded: the present reader makes another file of it.
--
-- Called by   include/ledger/decisions.py
-- Parameters  file_id bigint
-- Writes      ops.staged_file          state and everything that ingestion and decisions wrote into the row; ops.decision keeps the decisions
--             ops.quarantined_offer    rows are deleted: its lines are refused again, if they are, when it is published
--             ops.data_quality_result  rows are deleted: it is checked again
-- Run again   nothing written

WITH file AS (
    UPDATE ops.staged_file
       SET state = CASE WHEN manifest ? 'sha256' THEN 'waiting' ELSE 'superseded' END,
           stage = CASE WHEN manifest ? 'sha256' THEN 'outbox' ELSE stage END,
           state_reason = CASE WHEN NOT manifest ? 'sha256' THEN 'brought back as another file' END, rejection = NULL, check_version = NULL, statistics = NULL, goods = NULL,
           is_complete = (manifest ->> 'complete')::boolean, completeness_reason = CASE WHEN manifest ->> 'complete' IS NOT NULL THEN completeness_reason END,
           decided_by = NULL, decision_reason = NULL, decided_at = NULL, question_run_id = NULL, question_asked_at = NULL,
           quarantined = NULL, folded = NULL, unavailable = NULL, created = NULL, updated = NULL, unchanged = NULL, outdated = NULL, delisted = NULL,
           loaded_at = NULL, checked_at = NULL, published_at = NULL
     WHERE file_id = %(file_id)s AND state IN ('refused', 'discarded')
    RETURNING file_id
), lines AS (
    DELETE FROM ops.quarantined_offer WHERE file_id = (SELECT file_id FROM file)
)
DELETE FROM ops.data_quality_result WHERE file_id = (SELECT file_id FROM file)

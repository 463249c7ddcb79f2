-- Restore the tested lines for a dry run of a step.
--
-- Called by   include/ingestion/isolation/steps.py
-- Parameters  file_id bigint: id under which the lines are staged now; lines integer[]
-- Reads       dry_run_lines   temporary
-- Writes      staging.offer
-- Run again   same rows: rewritten with the values they have

UPDATE staging.offer AS offer
   SET file_id = kept.file_id, is_folded = kept.is_folded, reasons = kept.reasons
  FROM dry_run_lines AS kept
 WHERE offer.file_id = %(file_id)s AND offer.line_number = kept.line_number AND offer.line_number = ANY (%(lines)s)

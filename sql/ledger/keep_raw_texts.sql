-- Store the raw text of refused lines.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  file_id bigint; lines integer[], texts text[] (parallel)
-- Writes      ops.quarantined_offer   raw_text
-- Run again   nothing written

UPDATE ops.quarantined_offer AS line
   SET raw_text = given.raw_text
  FROM unnest(%(lines)s::integer[], %(texts)s::text[]) AS given (line_number, raw_text)
 WHERE line.file_id = %(file_id)s AND line.line_number = given.line_number AND line.raw_text IS NULL

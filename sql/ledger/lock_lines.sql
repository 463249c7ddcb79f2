-- Lock refused lines of a file until the transaction ends: the named ones, those of a rule, or all.
--
-- Called by   include/ledger/decisions.py
-- Parameters  file_id bigint; lines integer[] (null = all); rule_id text (null = any)
-- Reads       ops.quarantined_offer
-- Run again   same result while nothing is decided

SELECT line_number, retailer, store_id, sku, reasons, raw_text, state, decided_by, decision_reason, quarantined_at
  FROM ops.quarantined_offer
 WHERE file_id = %(file_id)s AND (%(lines)s::integer[] IS NULL OR line_number = ANY (%(lines)s)) AND (%(rule_id)s::text IS NULL OR %(rule_id)s = ANY (reasons))
 ORDER BY line_number
   FOR UPDATE

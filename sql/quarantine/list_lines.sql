-- Lines in quarantine, counted per file and rule.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  retailer text (null = all)
-- Reads       ops.quarantined_offer, ops.staged_file
-- Run again   same answer while nothing is decided

SELECT line.file_id, line.retailer, line.store_id, file.night, reason.rule_id, count(*)::integer AS lines
  FROM ops.quarantined_offer AS line
  JOIN ops.staged_file AS file USING (file_id)
 CROSS JOIN LATERAL unnest(line.reasons) AS reason (rule_id)
 WHERE line.state = 'quarantined' AND (%(retailer)s::text IS NULL OR line.retailer = %(retailer)s)
 GROUP BY 1, 2, 3, 4, 5
 ORDER BY file.night DESC, line.retailer, line.store_id, line.file_id, lines DESC, reason.rule_id

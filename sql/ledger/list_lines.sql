-- Lines in quarantine, counted per file and rule.
--
-- Called by   include/ledger/quarantine.py
-- Parameters  retailer text (null = all)
-- Reads       ops.quarantined_offer, ops.staged_file
-- Run again   same result while nothing is decided

SELECT line.file_id, line.retailer, line.store_id, (SELECT file.night FROM ops.staged_file AS file WHERE file.file_id = line.file_id) AS night, line.rule_id, line.lines
  FROM (SELECT file_id, retailer, store_id, rule_id, count(*)::integer AS lines
          FROM (SELECT file_id, retailer, store_id, unnest(reasons) AS rule_id FROM ops.quarantined_offer
                 WHERE state = 'quarantined' AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s)) AS refused
         GROUP BY 1, 2, 3, 4) AS line
 ORDER BY night DESC, line.retailer, line.store_id, line.file_id, line.lines DESC, line.rule_id

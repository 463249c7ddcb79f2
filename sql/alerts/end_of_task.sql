-- End the troubles that a task raised, because it succeeded for the same retailer.
--
-- Called by   include/alerts/troubles.py
-- Parameters  source, retailer, end_reason text; now timestamptz
-- Writes      ops.alert
-- Run again   nothing written

UPDATE ops.alert
   SET ended_at = %(now)s, end_reason = %(end_reason)s
 WHERE ended_at IS NULL AND source = %(source)s AND retailer IS NOT DISTINCT FROM %(retailer)s

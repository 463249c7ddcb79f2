-- End troubles by their causes.
--
-- Called by   include/alerts/troubles.py
-- Parameters  alert_keys text[]; end_reason text; now timestamptz
-- Writes      ops.alert
-- Run again   nothing written

UPDATE ops.alert
   SET ended_at = %(now)s, end_reason = %(end_reason)s
 WHERE ended_at IS NULL AND alert_key = ANY (%(alert_keys)s)

-- Troubles a person knows of: told and not over, and questions answered or lapsed since an instant.
--
-- Called by   include/alerts/troubles.py
-- Parameters  since timestamptz
-- Reads       ops.alert
-- Run again   same result

SELECT alert_key, retailer, source, kind, file_ids
  FROM ops.alert
 WHERE told_at IS NOT NULL AND (ended_at IS NULL OR kind <> 'failed' AND raised_at >= %(since)s)

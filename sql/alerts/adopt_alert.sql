-- Record an alert that was sent while the warehouse was away.
--
-- Called by   include/alerts/troubles.py
-- Parameters  alert_key, severity, retailer, source, title, body, link, end_reason text; told_at, ended_at timestamptz
-- Writes      ops.alert
-- Run again   same rows: the open one is rewritten

INSERT INTO ops.alert (alert_key, kind, severity, retailer, source, title, body, link, raised_at, told_at, ended_at, end_reason)
VALUES (%(alert_key)s, 'failed', %(severity)s, %(retailer)s, %(source)s, %(title)s, %(body)s, %(link)s, %(told_at)s, %(told_at)s, %(ended_at)s, %(end_reason)s)
    ON CONFLICT (alert_key) WHERE end_told_at IS NULL DO UPDATE
   SET told_at = coalesce(alert.told_at, excluded.told_at), ended_at = excluded.ended_at, end_reason = excluded.end_reason

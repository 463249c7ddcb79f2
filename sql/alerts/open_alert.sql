-- Record that a trouble exists. A known one is told again after a while; one that comes back before its end was told goes on.
--
-- Called by   include/alerts/troubles.py
-- Parameters  alert_key, kind, severity, retailer, source, title, body, link text; item text; file_ids, item_ids bigint[]; now, answer_by_at, repeat_before timestamptz
-- Writes      ops.alert
-- Run again   same rows: the open one is rewritten

INSERT INTO ops.alert (alert_key, kind, severity, retailer, source, file_ids, item, item_ids, title, body, link, raised_at, answer_by_at)
VALUES (%(alert_key)s, %(kind)s, %(severity)s, %(retailer)s, %(source)s, %(file_ids)s, %(item)s, %(item_ids)s, %(title)s, %(body)s, %(link)s, %(now)s, %(answer_by_at)s)
    ON CONFLICT (alert_key) WHERE end_told_at IS NULL DO UPDATE
   SET severity = excluded.severity, source = excluded.source, title = excluded.title, body = excluded.body, link = excluded.link,
       told_at = CASE WHEN alert.told_at > %(repeat_before)s THEN alert.told_at END,
       ended_at = NULL, end_reason = NULL

-- Take the oldest message that is due and that no other process is sending: a begin, a reminder before a question lapses, or an end.
--
-- A failed task's end is due when it has lasted a while (settled_before), so that a cause that comes back raises nothing; a person's answer at once.
-- Reminders are due after half of a question's time, and after seven eighths of it.
--
-- Called by   include/alerts/troubles.py
-- Parameters  now, settled_before timestamptz
-- Reads       ops.alert (the row stays locked until the transaction ends)
-- Run again   same result until the message is marked as sent

SELECT alert_id, alert_key, kind, severity, retailer, title, body, link, raised_at, answer_by_at, told_at, ended_at, end_reason, passed.reminders_due,
       CASE WHEN ended_at IS NOT NULL THEN 'end' WHEN told_at IS NULL THEN 'begin' ELSE 'reminder' END AS message
  FROM ops.alert,
       LATERAL (SELECT (%(now)s >= raised_at + (answer_by_at - raised_at) / 2)::integer + (%(now)s >= raised_at + (answer_by_at - raised_at) * 0.875)::integer AS reminders_due) AS passed
 WHERE end_told_at IS NULL
   AND CASE WHEN ended_at IS NOT NULL THEN ended_at <= CASE kind WHEN 'failed' THEN %(settled_before)s ELSE %(now)s END
            ELSE told_at IS NULL OR %(now)s < answer_by_at AND passed.reminders_due > reminders
       END
 ORDER BY alert_id
 LIMIT 1
   FOR UPDATE OF alert SKIP LOCKED

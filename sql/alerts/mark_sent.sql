-- Record that a message was accepted: a begin, a reminder or an end. An end includes a begin that could not be sent before.
--
-- Called by   include/alerts/troubles.py
-- Parameters  alert_id bigint; message text; reminders_due integer; now timestamptz
-- Writes      ops.alert
-- Run again   same rows

UPDATE ops.alert
   SET told_at = coalesce(told_at, %(now)s),
       reminders = coalesce(%(reminders_due)s, 0),
       end_told_at = CASE WHEN %(message)s = 'end' THEN %(now)s END
 WHERE alert_id = %(alert_id)s

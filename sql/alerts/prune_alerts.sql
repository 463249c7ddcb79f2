-- Delete alerts whose end was told long ago. One that names a store-day which is still held stays: it would be announced again.
--
-- Called by   include/alerts/troubles.py
-- Parameters  before timestamptz
-- Reads       ops.staged_file
-- Writes      ops.alert
-- Run again   nothing written

DELETE FROM ops.alert
 WHERE end_told_at < %(before)s
   AND alert_id NOT IN (SELECT named.alert_id
                          FROM (SELECT alert_id, unnest(file_ids) AS file_id FROM ops.alert WHERE kind = 'held') AS named
                          JOIN ops.staged_file AS file USING (file_id)
                         WHERE file.state = 'held')

-- List the sessions that hold the locks a session waits for, with their last statement; no row = it is not blocked.
--
-- Called by   include/warehouse/slow_statements.py
-- Parameters  pid integer: the session's process
-- Reads       pg_stat_activity
-- Run again   same result while the same locks are held

SELECT holder.pid, holder.application_name AS application, holder.state, holder.query, holder.xact_start AS transaction_at
  FROM unnest(pg_blocking_pids(%(pid)s)) AS blocking (pid)
  JOIN pg_stat_activity AS holder USING (pid)
 ORDER BY holder.xact_start

-- List the published store-days of estimated completeness that older store-days, about to be published, may change the estimate of, in time order.
--
-- Called by   include/ledger/completeness.py
-- Parameters  retailer text; baseline_days integer
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT file_id, store_id, observed_at, goods, is_complete
  FROM ops.staged_file
 WHERE retailer = %(retailer)s AND is_completeness_estimated AND is_past_store_day
   AND observed_at >= (SELECT min(arrived.observed_at) - make_interval(days => %(baseline_days)s)
                         FROM ops.staged_file AS arrived
                        WHERE arrived.retailer = %(retailer)s AND arrived.state = 'loaded' AND arrived.check_version IS NOT NULL)
 ORDER BY observed_at, file_id

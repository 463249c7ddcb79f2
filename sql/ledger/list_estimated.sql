-- List the published and checked store-days of estimated completeness that store-days which came or went may change the estimate of, in time order.
--
-- Called by   include/ledger/completeness.py
-- Parameters  retailer text; baseline_days integer; since timestamptz: the oldest of those that came or went, null = of those about to be published
-- Reads       ops.staged_file
-- Run again   same result while the ledger is the same

SELECT file_id, store_id, observed_at, goods, is_complete
  FROM ops.staged_file
 WHERE retailer = %(retailer)s AND is_completeness_estimated AND (is_past_store_day OR state = 'loaded' AND check_version IS NOT NULL)
   AND observed_at >= coalesce(%(since)s::timestamptz,
                               (SELECT min(arrived.observed_at)
                                  FROM ops.staged_file AS arrived
                                 WHERE arrived.retailer = %(retailer)s AND arrived.state = 'loaded' AND arrived.check_version IS NOT NULL))
                      - make_interval(days => %(baseline_days)s)
 ORDER BY observed_at, file_id

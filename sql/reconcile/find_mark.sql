-- Find how far reconciliation has come, when it last looked at all SKUs, the newest change of a SKU and the newest SKU.
--
-- Called by   include/catalogue/reconcile.py
-- Reads       ops.reconciliation, core.sku
-- Run again   same result until a SKU changes

SELECT (SELECT max(sku_changed_at) FROM core.sku) AS newest_change, (SELECT max(sku_key) FROM core.sku) AS newest_sku_key, mark.changed_until,
       mark.newest_sku_key AS seen_sku_key, mark.rule_version,
       (SELECT max(reconciled_at) FROM ops.reconciliation WHERE is_complete) AS completed_at
  FROM (SELECT 1) AS one
  LEFT JOIN (SELECT changed_until, newest_sku_key, rule_version FROM ops.reconciliation ORDER BY reconciliation_id DESC LIMIT 1) AS mark ON true

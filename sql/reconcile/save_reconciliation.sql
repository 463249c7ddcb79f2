-- Save what a reconciliation did, and how far it has come.
--
-- Called by   include/catalogue/reconcile.py
-- Parameters  changed_until, now timestamptz; newest_sku_key, rule_version, joined, ended, proposed, brands_joined, moved integer; is_complete boolean
-- Writes      ops.reconciliation
-- Run again   nothing written: one row per state of the SKUs, and one more for looking at all of them

INSERT INTO ops.reconciliation (changed_until, newest_sku_key, rule_version, is_complete, joined, ended, proposed, brands_joined, moved, reconciled_at)
SELECT %(changed_until)s, %(newest_sku_key)s, %(rule_version)s, %(is_complete)s, %(joined)s, %(ended)s, %(proposed)s, %(brands_joined)s, %(moved)s, %(now)s
 WHERE NOT EXISTS (SELECT
                     FROM ops.reconciliation
                    WHERE changed_until = %(changed_until)s AND newest_sku_key = %(newest_sku_key)s AND rule_version = %(rule_version)s
                      AND is_complete >= %(is_complete)s)

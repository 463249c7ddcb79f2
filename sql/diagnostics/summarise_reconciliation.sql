-- Sum up the reconciliations of a night.
--
-- Called by   include/diagnostics/night.py
-- Parameters  since, until timestamptz: the night begins and ends
-- Reads       ops.reconciliation
-- Run again   same result while none is made

SELECT coalesce(sum(joined), 0)::integer AS joined, coalesce(sum(ended), 0)::integer AS ended, coalesce(sum(proposed), 0)::integer AS proposed,
       coalesce(sum(brands_joined), 0)::integer AS brands_joined
  FROM ops.reconciliation
 WHERE reconciled_at >= %(since)s AND reconciled_at < %(until)s

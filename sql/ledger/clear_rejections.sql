-- Delete the rejections of a retailer's waiting store-days, which are about to be retried.
--
-- Called by   include/ledger/rejections.py
-- Parameters  retailer text
-- Writes      ops.staged_file   rejection and state_reason
-- Run again   nothing written

UPDATE ops.staged_file
   SET rejection = NULL, state_reason = NULL
 WHERE retailer = %(retailer)s AND state IN ('waiting', 'loaded') AND rejection IS NOT NULL

-- End the decisions about claims that were forgotten, because the number was given to another good.
--
-- Called by   include/catalogue/resolve.py, after claims were forgotten and saved
-- Parameters  now timestamptz
-- Reads       member, core.sku_barcode
-- Writes      ops.barcode_decision
-- Run again   nothing written

UPDATE ops.barcode_decision AS decision
   SET ended_at = %(now)s, ended_by = 'aisleflow', end_reason = 'the retailer gave the number to another good: this claim is forgotten'
 WHERE decision.ended_at IS NULL AND decision.sku_key = ANY (ARRAY(SELECT sku_key FROM member))
   AND NOT EXISTS (SELECT FROM core.sku_barcode AS claim WHERE claim.claim_id = decision.claim_id)

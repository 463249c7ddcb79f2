-- Copy the product of each leader to the SKUs of its group.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  rule_version integer
-- Reads       pending
-- Writes      pending   product_id, joined_by, match_evidence
-- Run again   nothing written

UPDATE pending
   SET product_id = front.product_id,
       joined_by = CASE WHEN pending.gtins IS NULL THEN 'key' ELSE 'barcode' END,
       match_evidence = CASE WHEN pending.gtins IS NULL THEN jsonb_build_object('key', pending.product_key, 'rule_version', %(rule_version)s::integer)
                         ELSE jsonb_build_object('gtin', pending.gtins[1]) END
  FROM pending AS front
 WHERE front.n = pending.leader AND pending.product_id IS NULL AND front.product_id IS NOT NULL

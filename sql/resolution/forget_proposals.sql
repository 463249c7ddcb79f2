-- Forget the proposals about a number that was given to another good.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  now timestamptz
-- Reads       changed_identity
-- Writes      ops.match_proposal   forgotten_at
-- Run again   nothing written

UPDATE ops.match_proposal AS proposal
   SET forgotten_at = %(now)s
 WHERE proposal.forgotten_at IS NULL
   AND (proposal.left_sku_key = ANY (ARRAY(SELECT sku_key FROM changed_identity WHERE is_reused))
        OR proposal.right_sku_key = ANY (ARRAY(SELECT sku_key FROM changed_identity WHERE is_reused)))

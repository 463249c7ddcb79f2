-- Record that the products of some waiting proposals are different: a decision each, about every SKU of one with every SKU of the other.
--
-- Called by   include/catalogue/proposals.py
-- Parameters  proposal_ids bigint[]; by text; reason text; via text; now timestamptz
-- Reads       ops.match_proposal, core.sku
-- Writes      ops.match_decision, ops.match_pair
-- Run again   nothing written: a pair has one such decision in force

WITH rejected AS MATERIALIZED (
    SELECT waiting.*, nextval(pg_get_serial_sequence('ops.match_decision', 'decision_id')) AS decision_id
      FROM (SELECT *
              FROM ops.match_proposal AS proposal
             WHERE proposal_id = ANY (%(proposal_ids)s)
               AND NOT EXISTS (SELECT
                                 FROM ops.match_pair AS pair
                                WHERE pair.left_sku_key = proposal.left_sku_key AND pair.right_sku_key = proposal.right_sku_key
                                  AND pair.choice = 'apart' AND pair.ended_at IS NULL)
             ORDER BY proposal_id) AS waiting
), named AS MATERIALIZED (
    SELECT sku_key, product_id FROM core.sku WHERE sku_key = ANY (ARRAY(SELECT left_sku_key FROM rejected UNION SELECT right_sku_key FROM rejected))
), near AS MATERIALIZED (
    SELECT sku_key, product_id FROM core.sku WHERE product_id = ANY (ARRAY(SELECT product_id FROM named))
), decided AS (
    INSERT INTO ops.match_decision (decision_id, kind, choice, decided_by, decision_reason, decided_via, evidence, decided_at)
    OVERRIDING SYSTEM VALUE
    SELECT decision_id, 'sku', 'apart', %(by)s, %(reason)s, %(via)s,
           jsonb_build_object('proposal_id', proposal_id, 'reason', reason, 'score', score, 'found', evidence), %(now)s
      FROM rejected
     ORDER BY decision_id
)
INSERT INTO ops.match_pair (decision_id, choice, left_sku_key, right_sku_key)
SELECT rejected.decision_id, 'apart', least(mine.sku_key, other.sku_key), greatest(mine.sku_key, other.sku_key)
  FROM rejected
  JOIN named AS left_named ON left_named.sku_key = rejected.left_sku_key
  JOIN named AS right_named ON right_named.sku_key = rejected.right_sku_key
  JOIN near AS mine ON mine.product_id = left_named.product_id
  JOIN near AS other ON other.product_id = right_named.product_id
 WHERE mine.sku_key <> other.sku_key
 ORDER BY 1, 3, 4

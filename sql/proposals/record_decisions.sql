-- Record decisions about waiting proposals, one each: their pair is one product, or every SKU of one product is kept apart from every SKU of the other.
--
-- Called by   include/catalogue/proposals.py
-- Parameters  proposal_ids bigint[]; choices text[]: join or apart, one each; by text; reason text; via text; now timestamptz
-- Reads       ops.match_proposal, ops.match_pair, ops.match_decision, core.sku
-- Writes      ops.match_decision, ops.match_pair; returns the proposals with the numbers of their decisions
-- Run again   nothing written: a pair has one such decision of a person in force

WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%(proposal_ids)s::bigint[], %(choices)s::text[]) AS given (proposal_id, choice)
), decided AS MATERIALIZED (
    SELECT found.*, nextval(pg_get_serial_sequence('ops.match_decision', 'decision_id')) AS decision_id
      FROM (SELECT proposal.*, given.choice
              FROM given
              JOIN ops.match_proposal AS proposal USING (proposal_id)
             WHERE proposal.proposal_id = ANY (%(proposal_ids)s)
               AND NOT EXISTS (SELECT
                                 FROM ops.match_pair AS pair
                                 JOIN ops.match_decision AS known USING (decision_id)
                                WHERE known.score IS NULL AND pair.left_sku_key = proposal.left_sku_key AND pair.right_sku_key = proposal.right_sku_key
                                  AND pair.choice = given.choice AND pair.ended_at IS NULL)
             ORDER BY proposal_id) AS found
), named AS MATERIALIZED (
    SELECT sku_key, product_id
      FROM core.sku
     WHERE sku_key = ANY (ARRAY(SELECT left_sku_key FROM decided WHERE choice = 'apart' UNION SELECT right_sku_key FROM decided WHERE choice = 'apart'))
), near AS MATERIALIZED (
    SELECT sku_key, product_id FROM core.sku WHERE product_id = ANY (ARRAY(SELECT product_id FROM named))
), pair AS (
    SELECT decision_id, choice, left_sku_key, right_sku_key FROM decided WHERE choice = 'join'
     UNION ALL
    SELECT decided.decision_id, decided.choice, least(mine.sku_key, other.sku_key), greatest(mine.sku_key, other.sku_key)
      FROM decided
      JOIN named AS left_named ON left_named.sku_key = decided.left_sku_key
      JOIN named AS right_named ON right_named.sku_key = decided.right_sku_key
      JOIN near AS mine ON mine.product_id = left_named.product_id
      JOIN near AS other ON other.product_id = right_named.product_id
     WHERE decided.choice = 'apart' AND mine.sku_key <> other.sku_key
), made AS (
    INSERT INTO ops.match_decision (decision_id, kind, choice, decided_by, decision_reason, decided_via, evidence, decided_at)
    OVERRIDING SYSTEM VALUE
    SELECT decision_id, 'sku', choice, %(by)s, %(reason)s, %(via)s,
           jsonb_build_object('proposal_id', proposal_id, 'reason', reason, 'score', score, 'found', evidence), %(now)s
      FROM decided
     ORDER BY decision_id
), kept AS (
    INSERT INTO ops.match_pair (decision_id, choice, left_sku_key, right_sku_key)
    SELECT decision_id, choice, left_sku_key, right_sku_key FROM pair ORDER BY 1, 3, 4
)
SELECT proposal_id, decision_id FROM decided ORDER BY proposal_id

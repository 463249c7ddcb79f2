-- Propose the pairs of which the matcher is not sure, for review.
--
-- Called by   include/catalogue/reconcile.py
-- Parameters  now timestamptz
-- Reads       matched, core.sku
-- Writes      ops.match_proposal   not where the two products are proposed already: such a proposal gets the score; a forgotten one is new again
-- Run again   nothing written

WITH unsure AS MATERIALIZED (
    SELECT matched.*, least(mine.product_id, other.product_id) AS left_product_id, greatest(mine.product_id, other.product_id) AS right_product_id
      FROM matched
      JOIN core.sku AS mine ON mine.sku_key = matched.left_sku_key
      JOIN core.sku AS other ON other.sku_key = matched.right_sku_key
     WHERE NOT matched.is_sure
), near AS MATERIALIZED (
    SELECT sku_key, product_id FROM core.sku WHERE product_id = ANY (ARRAY(SELECT left_product_id FROM unsure UNION SELECT right_product_id FROM unsure))
), known AS MATERIALIZED (
    SELECT proposal.proposal_id, least(mine.product_id, other.product_id) AS left_product_id, greatest(mine.product_id, other.product_id) AS right_product_id
      FROM ops.match_proposal AS proposal
      JOIN near AS mine ON mine.sku_key = proposal.left_sku_key
      JOIN near AS other ON other.sku_key = proposal.right_sku_key
     WHERE proposal.forgotten_at IS NULL
), scored AS (
    UPDATE ops.match_proposal AS proposal
       SET score = unsure.score, evidence = proposal.evidence || unsure.evidence
      FROM known
      JOIN unsure USING (left_product_id, right_product_id)
     WHERE proposal.proposal_id = known.proposal_id AND (proposal.score IS NULL OR proposal.reason = 'score' AND proposal.score <> unsure.score)
)
INSERT INTO ops.match_proposal (left_sku_key, right_sku_key, reason, score, evidence, proposed_at)
SELECT left_sku_key, right_sku_key, 'score', score, evidence, %(now)s
  FROM unsure
 WHERE NOT EXISTS (SELECT FROM known WHERE known.left_product_id = unsure.left_product_id AND known.right_product_id = unsure.right_product_id)
 ORDER BY score DESC, left_sku_key, right_sku_key
    ON CONFLICT (left_sku_key, right_sku_key) DO UPDATE
   SET reason = EXCLUDED.reason, score = EXCLUDED.score, evidence = EXCLUDED.evidence, proposed_at = EXCLUDED.proposed_at, forgotten_at = NULL, question_run_id = NULL
 WHERE ops.match_proposal.forgotten_at IS NOT NULL

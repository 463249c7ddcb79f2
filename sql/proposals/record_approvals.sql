-- Record that the pairs of some waiting proposals are one product: a decision each.
--
-- Called by   include/catalogue/proposals.py
-- Parameters  proposal_ids bigint[]; by text; reason text; via text; now timestamptz
-- Reads       ops.match_proposal
-- Writes      ops.match_decision, ops.match_pair
-- Run again   nothing written: a pair has one such decision in force

WITH approved AS (
    SELECT waiting.*, nextval(pg_get_serial_sequence('ops.match_decision', 'decision_id')) AS decision_id
      FROM (SELECT *
              FROM ops.match_proposal AS proposal
             WHERE proposal_id = ANY (%(proposal_ids)s)
               AND NOT EXISTS (SELECT
                                 FROM ops.match_pair AS pair
                                WHERE pair.left_sku_key = proposal.left_sku_key AND pair.right_sku_key = proposal.right_sku_key
                                  AND pair.choice = 'join' AND pair.ended_at IS NULL)
             ORDER BY proposal_id) AS waiting
), decided AS (
    INSERT INTO ops.match_decision (decision_id, kind, choice, decided_by, decision_reason, decided_via, evidence, decided_at)
    OVERRIDING SYSTEM VALUE
    SELECT decision_id, 'sku', 'join', %(by)s, %(reason)s, %(via)s,
           jsonb_build_object('proposal_id', proposal_id, 'reason', reason, 'score', score, 'found', evidence), %(now)s
      FROM approved
     ORDER BY decision_id
)
INSERT INTO ops.match_pair (decision_id, choice, left_sku_key, right_sku_key)
SELECT decision_id, 'join', left_sku_key, right_sku_key FROM approved ORDER BY decision_id

-- Record that the pairs of which the matcher is sure are one product: a decision each.
--
-- Called by   include/catalogue/reconcile.py
-- Parameters  now timestamptz
-- Reads       matched
-- Writes      ops.match_decision, ops.match_pair
-- Run again   nothing written: a pair has one such decision in force

WITH sure AS MATERIALIZED (
    SELECT found.*, nextval(pg_get_serial_sequence('ops.match_decision', 'decision_id')) AS decision_id
      FROM (SELECT matched.*
              FROM matched
             WHERE matched.is_sure
               AND NOT EXISTS (SELECT
                                 FROM ops.match_pair AS pair
                                WHERE pair.left_sku_key = matched.left_sku_key AND pair.right_sku_key = matched.right_sku_key
                                  AND pair.choice = 'join' AND pair.ended_at IS NULL)
             ORDER BY matched.score DESC, matched.left_sku_key, matched.right_sku_key) AS found
), decided AS (
    INSERT INTO ops.match_decision (decision_id, kind, choice, decided_by, decision_reason, decided_via, score, evidence, decided_at)
    OVERRIDING SYSTEM VALUE
    SELECT decision_id, 'sku', 'join', 'aisleflow', reason, 'score', score, evidence, %(now)s FROM sure ORDER BY decision_id
)
INSERT INTO ops.match_pair (decision_id, choice, left_sku_key, right_sku_key)
SELECT decision_id, 'join', left_sku_key, right_sku_key FROM sure ORDER BY decision_id

-- Move known SKUs to the products of their groups, and log the moves.
--
-- Called by   include/catalogue/regroup.py
-- Parameters  now timestamptz; rule_version integer
-- Reads       placed, changed_identity, core.sku_barcode
-- Writes      core.sku; ops.merge_log   one row per SKU that moved, or that something else joins to its product
-- Run again   nothing written
--
-- A decision that moves one SKU of a product brings the others along. What joins a SKU again as before counts from when it first did.

WITH found AS MATERIALIZED (
    SELECT placed.sku_key, sku.product_id AS from_product_id, placed.product_id, placed.joined_by, placed.decision_id,
           CASE WHEN placed.joined_by = 'barcode' THEN jsonb_build_object('gtin', placed.evidence)
                WHEN placed.joined_by = 'key' THEN jsonb_build_object('key', placed.evidence, 'rule_version', %(rule_version)s::integer)
                WHEN placed.decision_id IS NOT NULL THEN jsonb_build_object('decision_id', placed.decision_id) ELSE '{}' END AS match_evidence,
           jsonb_build_object('joined_by', sku.joined_by, 'match_evidence', sku.match_evidence, 'joined_at', sku.joined_at) AS former
      FROM placed
      JOIN core.sku AS sku USING (sku_key)
     WHERE sku.sku_key = ANY (ARRAY(SELECT sku_key FROM placed))
       AND (sku.product_id <> placed.product_id OR sku.joined_by <> placed.joined_by
            OR placed.joined_by = 'barcode' AND sku.match_evidence ->> 'gtin' <> placed.evidence
            OR placed.joined_by = 'key' AND sku.match_evidence ->> 'key' <> placed.evidence
            OR placed.decision_id IS NOT NULL AND sku.match_evidence ->> 'decision_id' <> placed.evidence)
), cause AS (
    SELECT DISTINCT ON (from_product_id, product_id) from_product_id, product_id, decision_id, joined_by
      FROM found
     WHERE decision_id IS NOT NULL AND from_product_id <> product_id
     ORDER BY from_product_id, product_id, decision_id
), earlier AS (
    SELECT DISTINCT ON (log.sku_key) log.sku_key, (log.former ->> 'joined_at')::timestamptz AS joined_at
      FROM ops.merge_log AS log
      JOIN found ON found.sku_key = log.sku_key AND log.from_product_id = found.product_id
           AND log.former ->> 'joined_by' = found.joined_by AND log.former -> 'match_evidence' = found.match_evidence
     WHERE log.sku_key = ANY (ARRAY(SELECT sku_key FROM found))
     ORDER BY log.sku_key, log.merge_id DESC
), carried AS (
    SELECT sku_key, jsonb_build_object('gtins', jsonb_agg(gtin ORDER BY gtin)) AS barcodes
      FROM core.sku_barcode
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM found WHERE from_product_id <> product_id)) AND refused_because IS NULL
     GROUP BY sku_key
), moved AS (
    UPDATE core.sku
       SET product_id = found.product_id, joined_by = found.joined_by, match_evidence = found.match_evidence, joined_at = coalesce(earlier.joined_at, %(now)s)
      FROM found
      LEFT JOIN earlier USING (sku_key)
     WHERE core.sku.sku_key = ANY (ARRAY(SELECT sku_key FROM found)) AND core.sku.sku_key = found.sku_key
), logged AS (
    INSERT INTO ops.merge_log (sku_key, from_product_id, to_product_id, merged_by, decision_id, evidence, former, merged_at)
    SELECT found.sku_key, found.from_product_id, found.product_id,
           CASE WHEN changed.is_reused THEN 'reuse' WHEN cause.decision_id IS NOT NULL THEN cause.joined_by WHEN found.joined_by = 'new' THEN 'separation' ELSE found.joined_by END,
           coalesce(found.decision_id, cause.decision_id),
           found.match_evidence || coalesce(carried.barcodes, '{}')
           || CASE WHEN changed.is_reused THEN jsonb_build_object('name', changed.name, 'former_until_at', changed.former_until_at) ELSE '{}' END,
           found.former, %(now)s
      FROM found
      LEFT JOIN changed_identity AS changed USING (sku_key)
      LEFT JOIN cause USING (from_product_id, product_id)
      LEFT JOIN carried USING (sku_key)
     ORDER BY found.sku_key
    RETURNING from_product_id, to_product_id
)
SELECT count(*) FILTER (WHERE from_product_id <> to_product_id) AS moved FROM logged

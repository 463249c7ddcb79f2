-- List the SKUs that are grouped again and not placed yet, with all that their products depend on.
--
-- Called by   include/catalogue/regroup.py
-- Reads       member, placed, pending, core.sku, core.sku_identity, core.sku_product_key, core.sku_barcode, ops.barcode_decision (in force)
-- Run again   same result

WITH asked AS MATERIALIZED (
    SELECT sku_key FROM member WHERE NOT EXISTS (SELECT FROM placed WHERE placed.sku_key = member.sku_key)
), claimed AS MATERIALIZED (
    SELECT sku_key, array_agg(gtin ORDER BY gtin) AS gtins, array_agg(together ORDER BY gtin) AS togethers, array_agg(first_seen_at ORDER BY gtin) AS first_seen,
           array_agg(decision.choice ORDER BY gtin) AS decisions, array_agg(source <> 'file' ORDER BY gtin) AS looked_up
      FROM (SELECT sku_key, gtin, together, first_seen_at, source, claim_id FROM core.sku_barcode WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM asked))) AS claim
      LEFT JOIN (SELECT claim_id, choice FROM ops.barcode_decision WHERE ended_at IS NULL) AS decision USING (claim_id)
     GROUP BY sku_key
), keyed AS MATERIALIZED (
    SELECT sku_key, array_agg(product_key ORDER BY position) AS product_keys
      FROM core.sku_product_key
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM asked))
     GROUP BY sku_key
)
SELECT asked.sku_key, coalesce(sku.retailer, pending.retailer) AS retailer, coalesce(sku.sku, pending.sku) AS sku, identity.observed_at,
       lower(identity.name) AS name, lower(identity.brand) AS brand, lower(identity.size) AS size, keyed.product_keys,
       identity.own_label_of, claimed.gtins, claimed.togethers, claimed.first_seen, claimed.decisions, claimed.looked_up
  FROM asked
  JOIN core.sku_identity AS identity ON identity.sku_key = asked.sku_key AND identity.sku_key = ANY (ARRAY(SELECT sku_key FROM asked))
  LEFT JOIN core.sku AS sku ON sku.sku_key = asked.sku_key AND sku.sku_key = ANY (ARRAY(SELECT sku_key FROM asked))
  LEFT JOIN pending ON pending.sku_key = asked.sku_key
  LEFT JOIN claimed ON claimed.sku_key = asked.sku_key
  LEFT JOIN keyed ON keyed.sku_key = asked.sku_key

-- List the SKUs of both products of a proposal with their barcodes and prices.
--
-- Called by   include/catalogue/proposals.py
-- Parameters  proposal_id bigint
-- Reads       ops.proposal, core.sku, core.sku_barcode, core.price
-- Run again   same result; at most 30 SKUs a side

WITH found AS MATERIALIZED (
    SELECT sku.sku_key, CASE WHEN sku.product_id = proposal.left_product_id THEN 'left' ELSE 'right' END AS side,
           row_number() OVER (PARTITION BY sku.product_id ORDER BY sku.sku_key) AS nth
      FROM ops.proposal AS proposal
      JOIN core.sku AS sku ON sku.product_id IN (proposal.left_product_id, proposal.right_product_id)
     WHERE proposal.proposal_id = %(proposal_id)s
), claimed AS (
    SELECT sku_key, array_agg(gtin ORDER BY first_seen_at, gtin) FILTER (WHERE refused_because IS NULL) AS gtins
      FROM core.sku_barcode
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM found WHERE nth <= 30))
     GROUP BY sku_key
), priced AS (
    SELECT sku_key, count(*)::integer AS stores, min(price_cents) AS price_cents_min, max(price_cents) AS price_cents_max
      FROM core.price
     WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM found WHERE nth <= 30)) AND is_listed
     GROUP BY sku_key
)
SELECT found.side, sku.retailer, sku.sku, sku.product_id, sku.name, sku.brand, sku.size, sku.joined_by, claimed.gtins,
       coalesce(priced.stores, 0) AS stores, priced.price_cents_min, priced.price_cents_max
  FROM found
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN claimed USING (sku_key)
  LEFT JOIN priced USING (sku_key)
 WHERE found.nth <= 30
 ORDER BY found.side, sku.retailer, sku.sku

-- List proposals with the texts of both SKUs, the surest first; those without a score after them, the newest first.
--
-- Called by   include/catalogue/proposals.py
-- Parameters  is_all boolean: also those that do not wait; proposal_ids bigint[] (null = all); rows_max integer
-- Reads       ops.proposal, core.sku, core.sku_barcode
-- Run again   same result

WITH proposal AS MATERIALIZED (
    SELECT *
      FROM ops.proposal
     WHERE (state = 'waiting' OR %(is_all)s) AND (%(proposal_ids)s::bigint[] IS NULL OR proposal_id = ANY (%(proposal_ids)s))
     ORDER BY score DESC NULLS LAST, proposed_at DESC, proposal_id
     LIMIT %(rows_max)s
), barcode AS MATERIALIZED (
    SELECT sku_key, string_agg(gtin, ', ' ORDER BY first_seen_at, gtin) AS gtins
      FROM core.sku_barcode
     WHERE refused_because IS NULL AND sku_key = ANY (ARRAY(SELECT left_sku_key FROM proposal UNION SELECT right_sku_key FROM proposal))
     GROUP BY sku_key
)
SELECT proposal.proposal_id, proposal.state, proposal.reason, proposal.score, proposal.evidence, proposal.proposed_at, proposal.decision_id,
       mine.retailer, mine.sku, mine.name, mine.brand, mine.size, mine_barcode.gtins, proposal.left_product_id,
       other.retailer AS other_retailer, other.sku AS other_sku, other.name AS other_name, other.brand AS other_brand, other.size AS other_size,
       other_barcode.gtins AS other_gtins, proposal.right_product_id
  FROM proposal
  JOIN core.sku AS mine ON mine.sku_key = proposal.left_sku_key
  JOIN core.sku AS other ON other.sku_key = proposal.right_sku_key
  LEFT JOIN barcode AS mine_barcode ON mine_barcode.sku_key = proposal.left_sku_key
  LEFT JOIN barcode AS other_barcode ON other_barcode.sku_key = proposal.right_sku_key
 ORDER BY proposal.score DESC NULLS LAST, proposal.proposed_at DESC, proposal.proposal_id

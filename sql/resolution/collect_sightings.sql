-- Collect what the lines of a batch say that is not known yet: unknown SKUs, other or earlier texts, barcodes not claimed before, counts.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded; of a reused number only lines since then), core.sku, core.sku_identity, core.sku_barcode, pending
-- Writes      sighting   temporary; one row per (SKU, text, barcodes)
-- Run again   nothing written
--
-- Price and price per piece fix the pieces in a pack where their quotient, with the price per piece rounded to cents, has one whole number. Prices of specials and
-- multi-buys do not: the price per piece beside them may be the ordinary one.

CREATE TEMPORARY TABLE IF NOT EXISTS sighting ON COMMIT DROP AS
SELECT coalesce(known.sku_key, pending.sku_key) AS sku_key, known.sku_key IS NOT NULL AS is_known, offer.name, offer.brand, offer.size, offer.gtins,
       min(offer.observed_at) AS first_at, max(offer.observed_at) AS last_at, 'file' AS source,
       (array_agg(offer.file_id ORDER BY offer.observed_at, offer.file_id))[1] AS file_id,
       (array_agg(counted.pieces ORDER BY offer.observed_at, counted.pieces) FILTER (WHERE counted.pieces IS NOT NULL))[1] AS piece_count,
       min(offer.observed_at) FILTER (WHERE counted.pieces IS NOT NULL) AS piece_count_at
  FROM staging.offer AS offer
 CROSS JOIN LATERAL (SELECT CASE WHEN offer.unit_of_measure = 'each' AND offer.price_basis = 'each' AND offer.unit_price >= 0.01 AND offer.price <= 100000
                                   AND offer.is_on_special IS NOT TRUE AND coalesce(offer.was_price, 0) <= offer.price AND offer.multi_buy_quantity IS NULL
                                   AND coalesce(offer.size, '') !~ '[02-9]'
                                  THEN CASE WHEN floor(offer.price / (offer.unit_price - 0.005)) = ceil(offer.price / (offer.unit_price + 0.005))
                                            THEN nullif(floor(offer.price / (offer.unit_price - 0.005))::integer, 1) END END AS pieces) AS counted
  LEFT JOIN pending ON pending.sku = offer.sku
  LEFT JOIN (SELECT sku.sku_key, sku.sku, sku.name, sku.brand, sku.size, sku.former_until_at, identity.name AS first_name, identity.brand AS first_brand,
                    identity.size AS first_size, identity.observed_at AS first_at, identity.piece_count_at, num_nulls(identity.brand, identity.size) AS missing
               FROM core.sku AS sku
               JOIN core.sku_identity AS identity USING (sku_key)
              WHERE sku.retailer = %(retailer)s) AS known ON known.sku = offer.sku
  LEFT JOIN (SELECT sku_key, array_agg(gtin) AS gtins, count(DISTINCT together) AS lists, max(first_seen_at) AS first_seen_at
               FROM core.sku_barcode
              GROUP BY sku_key) AS claimed ON claimed.sku_key = known.sku_key
 WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
   AND (known.former_until_at IS NULL OR offer.observed_at > known.former_until_at)
   AND (known.sku_key IS NULL
        OR counted.pieces IS NOT NULL AND (known.piece_count_at IS NULL OR offer.observed_at < known.piece_count_at)
        OR offer.name NOT IN (known.name, known.first_name)
        OR offer.brand IS NOT NULL AND (offer.brand IS DISTINCT FROM known.brand AND offer.brand IS DISTINCT FROM known.first_brand)
        OR offer.size IS NOT NULL AND (offer.size IS DISTINCT FROM known.size AND offer.size IS DISTINCT FROM known.first_size)
        OR num_nulls(offer.brand, offer.size) < known.missing
        OR num_nulls(offer.brand, offer.size) = known.missing AND offer.observed_at < known.first_at
        OR offer.gtins IS NOT NULL
           AND (claimed.sku_key IS NULL OR NOT offer.gtins <@ claimed.gtins OR cardinality(offer.gtins) > 1 AND claimed.lists > 1
                OR offer.observed_at < claimed.first_seen_at))
 GROUP BY 1, 2, 3, 4, 5, 6

-- Collect the SKUs of a batch that the catalogue does not know, each with the texts of its newest line.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; file_ids bigint[]
-- Reads       staging.offer (neither refused nor folded), core.sku
-- Writes      pending
-- Run again   nothing written

INSERT INTO pending (n, retailer, sku, name, brand, size, category, url, image_url, gtins, same_text)
SELECT row_number() OVER (ORDER BY sku), %(retailer)s, sku, name, brand, size, category, url, image_url, gtins,
       lower(concat_ws('|', name, coalesce(brand, ''), coalesce(size, '')))
  FROM (SELECT DISTINCT ON (offer.sku) offer.*
          FROM staging.offer AS offer
         WHERE offer.file_id = ANY (%(file_ids)s) AND offer.reasons IS NULL AND NOT offer.is_folded
           AND NOT EXISTS (SELECT FROM core.sku AS known WHERE known.retailer = %(retailer)s AND known.sku = offer.sku)
         ORDER BY offer.sku, offer.observed_at DESC, offer.file_id DESC, offer.line_number) AS newest
    ON CONFLICT (n) DO NOTHING

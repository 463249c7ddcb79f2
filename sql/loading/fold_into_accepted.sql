-- Fold duplicates into the first line of each SKU that passes, if the first of all is refused.
--
-- Called by   include/ingestion/checks/marking.py, include/ingestion/store_prices.py, after reasons are written
-- Parameters  file_ids bigint[]
-- Writes      staging.offer   is_folded of the lines of SKUs whose first line is refused
-- Run again   nothing written

UPDATE staging.offer AS offer
   SET is_folded = numbered.nth > 1
  FROM (SELECT twin.file_id, twin.line_number,
               row_number() OVER (PARTITION BY twin.file_id, twin.sku ORDER BY twin.reasons IS NOT NULL, twin.line_number) AS nth
          FROM staging.offer AS twin
          JOIN (SELECT DISTINCT file_id, sku
                  FROM staging.offer
                 WHERE file_id = ANY (%(file_ids)s) AND reasons IS NOT NULL AND defects IS NULL AND NOT is_folded AND NOT is_contradicted) AS refused
            USING (file_id, sku)
         WHERE twin.file_id = ANY (%(file_ids)s) AND twin.defects IS NULL) AS numbered
 WHERE offer.file_id = numbered.file_id AND offer.line_number = numbered.line_number AND offer.is_folded <> (numbered.nth > 1)

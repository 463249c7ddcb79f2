-- Mark repeated SKUs of a file: lines that agree on price and barcode are folded into the first line, conflicting lines are all marked.
--
-- Called by   include/ingestion/load.py, once per loaded file
-- Parameters  file_id bigint
-- Writes      staging.offer   is_folded, is_contradicted, differs_in_text of repeated SKUs only; lines that differ only in category or picture are identical
-- Run again   nothing written

WITH several AS MATERIALIZED (  -- mostly none, so little is sorted below
    SELECT sku
      FROM staging.offer
     WHERE file_id = %(file_id)s AND sku IS NOT NULL AND defects IS NULL  -- no line is folded into a refused one
     GROUP BY sku
    HAVING count(*) > 1
), line AS (
    SELECT line_number, sku, row_number() OVER by_sku AS nth,
           (price, price_basis, was_price, unit_price, is_on_special, gtins) IS DISTINCT FROM first_value((price, price_basis, was_price, unit_price, is_on_special, gtins)) OVER by_sku AS differs,
           (name, brand, size) IS DISTINCT FROM first_value((name, brand, size)) OVER by_sku AS differs_in_text
      FROM staging.offer
     WHERE file_id = %(file_id)s AND sku IN (SELECT sku FROM several) AND defects IS NULL
    WINDOW by_sku AS (PARTITION BY sku ORDER BY line_number)
), counted AS (
    SELECT line_number, nth, differs_in_text, count(*) OVER (PARTITION BY sku) AS lines, bool_or(differs) OVER (PARTITION BY sku) AS is_contradicted
      FROM line
), doubled AS MATERIALIZED (
    SELECT line_number, is_contradicted, NOT is_contradicted AND nth > 1 AS is_folded, NOT is_contradicted AND differs_in_text AS differs_in_text FROM counted WHERE lines > 1
)
UPDATE staging.offer AS offer
   SET is_contradicted = doubled.is_contradicted, is_folded = doubled.is_folded, differs_in_text = doubled.differs_in_text
  FROM doubled
 WHERE offer.file_id = %(file_id)s AND offer.line_number = doubled.line_number
   AND (offer.is_contradicted, offer.is_folded, offer.differs_in_text) IS DISTINCT FROM (doubled.is_contradicted, doubled.is_folded, doubled.differs_in_text)

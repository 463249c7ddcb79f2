-- Mark repeated SKUs of a file: identical duplicates are folded into the first line, conflicting lines are all marked.
--
-- Called by   include/ingestion/load.py, once per loaded file
-- Parameters  file_id bigint
-- Writes      staging.offer   is_folded, is_contradicted of repeated SKUs only; lines that differ only in category or picture are identical
-- Run again   nothing written

WITH several AS MATERIALIZED (  -- mostly none, so little is sorted below
    SELECT sku
      FROM staging.offer
     WHERE file_id = %(file_id)s AND sku IS NOT NULL AND defects IS NULL  -- no line is folded into a refused one
     GROUP BY sku
    HAVING count(*) > 1
), line AS (
    SELECT line_number, sku, row_number() OVER (PARTITION BY sku ORDER BY line_number) AS nth,
           (name, brand, size, price, was_price, unit_price, is_on_special, gtins) IS DISTINCT FROM
           first_value((name, brand, size, price, was_price, unit_price, is_on_special, gtins)) OVER (PARTITION BY sku ORDER BY line_number) AS differs
      FROM staging.offer
     WHERE file_id = %(file_id)s AND sku IN (SELECT sku FROM several) AND defects IS NULL
), counted AS (
    SELECT line_number, nth, count(*) OVER (PARTITION BY sku) AS lines, bool_or(differs) OVER (PARTITION BY sku) AS is_contradicted
      FROM line
), doubled AS MATERIALIZED (
    SELECT line_number, is_contradicted, NOT is_contradicted AND nth > 1 AS is_folded FROM counted WHERE lines > 1
)
UPDATE staging.offer AS offer
   SET is_contradicted = doubled.is_contradicted, is_folded = doubled.is_folded
  FROM doubled
 WHERE offer.file_id = %(file_id)s AND offer.line_number = doubled.line_number
   AND (offer.is_contradicted, offer.is_folded) IS DISTINCT FROM (doubled.is_contradicted, doubled.is_folded)

-- Summarise what each night gained: coverage at its end, barcodes learned from lines and from look-ups, SKUs joined across retailers, and what look-ups asked.
--
-- Called by   include/diagnostics/barcodes.py
-- Parameters  retailer text (null = all); first_night date; last_night date
-- Reads       core.sku, core.sku_identity (when a SKU was first seen), core.sku_barcode, ops.lookup_night
-- Run again   same result; a barcode that was refused later counts nowhere
--
-- A night is a Melbourne date. Joined: SKUs that came to a product which another retailer sells.

WITH own AS MATERIALIZED (
    SELECT sku_key, min(learned_at) AS learned_at, bool_and(source <> 'file') AS is_looked_up FROM core.sku_barcode WHERE refused_because IS NULL GROUP BY sku_key
), shared AS MATERIALIZED (
    SELECT product_id FROM core.sku GROUP BY product_id HAVING min(retailer) <> max(retailer)
), known AS MATERIALIZED (
    SELECT sku.retailer, (least(identity.observed_at, own.learned_at) AT TIME ZONE 'Australia/Melbourne')::date AS seen_on,
           (own.learned_at AT TIME ZONE 'Australia/Melbourne')::date AS learned_on, own.is_looked_up,
           CASE WHEN shared.product_id IS NOT NULL AND sku.joined_by <> 'new' THEN (sku.joined_at AT TIME ZONE 'Australia/Melbourne')::date END AS joined_on
      FROM core.sku AS sku
      JOIN core.sku_identity AS identity USING (sku_key)
      LEFT JOIN own USING (sku_key)
      LEFT JOIN shared USING (product_id)
     WHERE %(retailer)s::text IS NULL OR sku.retailer = %(retailer)s
), event AS (
    SELECT retailer, seen_on AS night, count(*) AS skus, 0 AS from_lines, 0 AS from_look_ups, 0 AS joined FROM known GROUP BY 1, 2
     UNION ALL
    SELECT retailer, learned_on, 0, count(*) FILTER (WHERE NOT is_looked_up), count(*) FILTER (WHERE is_looked_up), 0 FROM known WHERE learned_on IS NOT NULL GROUP BY 1, 2
     UNION ALL
    SELECT retailer, joined_on, 0, 0, 0, count(*) FROM known WHERE joined_on IS NOT NULL GROUP BY 1, 2
     UNION ALL
    SELECT retailer, night, 0, 0, 0, 0 FROM ops.lookup_night WHERE %(retailer)s::text IS NULL OR retailer = %(retailer)s
), summed AS (
    SELECT retailer, night, sum(skus) AS skus, sum(from_lines) AS from_lines, sum(from_look_ups) AS from_look_ups, sum(joined) AS joined
      FROM event
     GROUP BY retailer, night
), total AS (
    SELECT retailer, night, from_lines, from_look_ups, joined, sum(skus) OVER so_far AS skus, sum(from_lines + from_look_ups) OVER so_far AS with_barcode
      FROM summed
    WINDOW so_far AS (PARTITION BY retailer ORDER BY night)
)
SELECT total.retailer, total.night, total.skus::integer, total.with_barcode::integer, round(total.with_barcode / nullif(total.skus, 0), 4)::float AS share,
       total.from_lines::integer, total.from_look_ups::integer, total.joined::integer, asked.requests, asked.asked,
       round(asked.requests::numeric / nullif(asked.asked, 0), 4)::float AS requests_per_sku,
       round(asked.requests::numeric / nullif(total.from_look_ups, 0), 4)::float AS requests_per_barcode
  FROM total
  LEFT JOIN ops.lookup_night AS asked USING (retailer, night)
 WHERE total.night BETWEEN %(first_night)s AND %(last_night)s
 ORDER BY total.night DESC, total.retailer

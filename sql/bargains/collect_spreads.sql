-- Collect the lowest and the highest price of each product in each area: a state, and AU for all stores.
--
-- Called by   include/bargains/publish.py
-- Reads       bargain_offer
-- Writes      bargain_spread   products offered in at least two price zones of the area; values in dollars, of unit_of_measure where compared_by is unit_price
-- Run again   nothing written
--
-- Prices are compared where all offers of the product have one price basis and one size (within 1 percent; an unknown size is no other size). Else unit prices are,
-- of the unit that most stores have.

WITH unit AS (
    SELECT DISTINCT ON (product_id) product_id, unit_of_measure
      FROM (SELECT product_id, unit_of_measure, sum(stores) AS stores FROM bargain_offer WHERE unit_price > 0 GROUP BY product_id, unit_of_measure) AS used
     ORDER BY product_id, stores DESC, unit_of_measure
), kind AS (
    SELECT product_id,
           CASE WHEN min(price_basis) = max(price_basis) AND coalesce(min(size_unit) = max(size_unit), true) AND coalesce(max(size_quantity) <= 1.01 * min(size_quantity), true)
                THEN 'price' ELSE 'unit_price' END AS compared_by
      FROM bargain_offer
     GROUP BY product_id
), valued AS (
    SELECT offer.product_id, kind.compared_by, CASE kind.compared_by WHEN 'unit_price' THEN unit.unit_of_measure END AS unit_of_measure, offer.state, offer.zone, offer.stores,
           CASE kind.compared_by WHEN 'price' THEN offer.price_cents / 100.0 ELSE offer.unit_price END AS value
      FROM bargain_offer AS offer
      JOIN kind USING (product_id)
      LEFT JOIN unit USING (product_id)
     WHERE kind.compared_by = 'price' OR offer.unit_price > 0 AND offer.unit_of_measure = unit.unit_of_measure
)
INSERT INTO bargain_spread (product_id, area, compared_by, unit_of_measure, lowest, highest, stores)
SELECT product_id, CASE WHEN grouping(state) = 1 THEN 'AU' ELSE state END, compared_by, unit_of_measure, min(value), max(value), sum(stores)
  FROM valued
 GROUP BY GROUPING SETS ((product_id, compared_by, unit_of_measure), (product_id, compared_by, unit_of_measure, state))
HAVING min(zone) <> max(zone) AND (grouping(state) = 1 OR state IS NOT NULL)
    ON CONFLICT DO NOTHING

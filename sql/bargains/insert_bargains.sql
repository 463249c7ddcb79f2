-- Publish the bargains: products whose lowest price is far below their highest, each with a store of either price.
--
-- Called by   include/bargains/publish.py
-- Parameters  saving_min, saving_max numeric: least and greatest saving of a bargain, as a share of the higher price
-- Reads       bargain_offer, bargain_spread
-- Writes      core.bargain   one row per product and area
-- Run again   nothing written
--
-- Of the stores with the lowest (highest) price: an observed price before an inferred one, then the newest, then the first retailer, store and SKU.

WITH chosen AS (
    SELECT * FROM bargain_spread WHERE 1 - lowest / highest BETWEEN %(saving_min)s::numeric AND %(saving_max)s::numeric
), valued AS (
    SELECT chosen.area, chosen.lowest, chosen.highest, offer.*, CASE chosen.compared_by WHEN 'price' THEN offer.price_cents / 100.0 ELSE offer.unit_price END AS value
      FROM chosen
      JOIN bargain_offer AS offer USING (product_id)
     WHERE (chosen.area = 'AU' OR chosen.area = offer.state) AND (chosen.compared_by = 'price' OR chosen.unit_of_measure = offer.unit_of_measure)
), cheapest AS (
    SELECT DISTINCT ON (product_id, area) product_id, area, retailer, store_id, sku, price_cents, price_basis, unit_price, unit_of_measure, multi_buy_quantity, multi_buy_cents,
           is_on_special, source, observed_at, sum(stores) OVER (PARTITION BY product_id, area) AS stores
      FROM valued
     WHERE value = lowest
     ORDER BY product_id, area, source DESC, observed_at DESC, retailer, store_id, sku, zone
), dearest AS (
    SELECT DISTINCT ON (product_id, area) product_id, area, retailer, store_id, sku, price_cents, price_basis, unit_price, unit_of_measure, multi_buy_quantity, multi_buy_cents,
           is_on_special, source, observed_at, sum(stores) OVER (PARTITION BY product_id, area) AS stores
      FROM valued
     WHERE value = highest
     ORDER BY product_id, area, source DESC, observed_at DESC, retailer, store_id, sku, zone
)
INSERT INTO core.bargain (
        product_id, area, compared_by, lowest, highest, saving_share, stores, cheapest_retailer, cheapest_store_id, cheapest_sku, cheapest_price_cents, cheapest_price_basis,
        cheapest_unit_price, cheapest_unit_of_measure, cheapest_multi_buy_quantity, cheapest_multi_buy_cents, cheapest_is_on_special, cheapest_source, cheapest_observed_at,
        cheapest_stores, dearest_retailer, dearest_store_id, dearest_sku, dearest_price_cents, dearest_price_basis, dearest_unit_price, dearest_unit_of_measure,
        dearest_multi_buy_quantity, dearest_multi_buy_cents, dearest_is_on_special, dearest_source, dearest_observed_at, dearest_stores)
SELECT
        spread.product_id, spread.area, spread.compared_by, spread.lowest, spread.highest, round(1 - spread.lowest / spread.highest, 4), spread.stores, cheapest.retailer,
        cheapest.store_id, cheapest.sku, cheapest.price_cents, cheapest.price_basis, cheapest.unit_price, cheapest.unit_of_measure, cheapest.multi_buy_quantity,
        cheapest.multi_buy_cents, cheapest.is_on_special, cheapest.source, cheapest.observed_at, cheapest.stores, dearest.retailer, dearest.store_id, dearest.sku,
        dearest.price_cents, dearest.price_basis, dearest.unit_price, dearest.unit_of_measure, dearest.multi_buy_quantity, dearest.multi_buy_cents, dearest.is_on_special,
        dearest.source, dearest.observed_at, dearest.stores
  FROM chosen AS spread
  JOIN cheapest USING (product_id, area)
  JOIN dearest USING (product_id, area)
    ON CONFLICT (product_id, area) DO NOTHING

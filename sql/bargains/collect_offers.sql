-- Collect the current prices of all products: one row for the stores of a state and price zone that offer a product alike.
--
-- Called by   include/bargains/publish.py
-- Parameters  week_starts jsonb: state → start of its current price week, '' for an unknown state
-- Reads       core.product_price (one price per product and store), core.store, core.store_group_member (present rows), core.sku, core.sku_identity
-- Writes      bargain_offer   zone: the store's group, or minus the key of a store without one; store_id: of the stores the one whose id comes first; observed_at: their oldest observation
-- Run again   nothing written

WITH located AS (
    SELECT store.store_key, store.retailer, store.store_id, store.state, coalesce(member.group_id, -store.store_key) AS zone,
           coalesce(%(week_starts)s::jsonb ->> coalesce(store.state, ''), %(week_starts)s::jsonb ->> '')::timestamptz AS week_start_at
      FROM core.store AS store
      LEFT JOIN core.store_group_member AS member ON member.store_key = store.store_key AND member.until_at IS NULL
)
INSERT INTO bargain_offer (product_id, retailer, sku, size_quantity, size_unit, state, zone, price_cents, price_basis, unit_price, unit_of_measure, multi_buy_quantity, multi_buy_cents,
                           is_on_special, source, stores, store_id, observed_at)
SELECT price.product_id, price.retailer, price.sku, identity.size_quantity, identity.size_unit, located.state, located.zone, price.price_cents, price.price_basis, price.unit_price,
       price.unit_of_measure, price.multi_buy_quantity, price.multi_buy_cents, price.is_on_special, price.source, count(*), min(price.store_id), min(price.observed_at)
  FROM core.product_price AS price
  JOIN located ON located.retailer = price.retailer AND located.store_id = price.store_id
  JOIN core.sku AS sku ON sku.retailer = price.retailer AND sku.sku = price.sku
  LEFT JOIN core.sku_identity AS identity ON identity.sku_key = sku.sku_key
 WHERE price.is_current AND price.is_available AND price.observed_at >= located.week_start_at
   AND NOT EXISTS (SELECT FROM bargain_offer)
 GROUP BY price.product_id, price.retailer, price.sku, identity.size_quantity, identity.size_unit, located.state, located.zone, price.price_cents, price.price_basis, price.unit_price,
          price.unit_of_measure, price.multi_buy_quantity, price.multi_buy_cents, price.is_on_special, price.source

-- Every published price, store by store.
--
-- Called by   include/readers/published.py
-- Reads       core.store_price
-- Run again   same result while nothing is published

SELECT retailer, store_id, sku, price_cents, was_price_cents, price_basis, multi_buy_quantity, multi_buy_cents, is_available, is_listed, is_current, is_confirmed, source, observed_at, barcode, product_id
  FROM core.store_price
 ORDER BY retailer, store_id, sku

-- Send the rows of the public contract view, all or since a cursor, as CSV in one snapshot.
--
-- Called by   include/readers/export.py
-- Parameters  retailer text: one retailer only, null = all; since timestamptz: rows changed at or after it, null = all
-- Reads       core.dated_store_price   one row per store and SKU, in no order
-- Units       booleans are written true and false, instants in UTC with their offset; null is empty, an empty text is ""
-- Run again   same result while nothing is published
--
-- The rows of core.store_price, found by the index of the instant that changed: the price's, or the SKU's.

COPY (
    SELECT retailer, store_id, sku, product_id, barcode, contested_barcode, name, brand, size, price_cents, was_price_cents, price_basis, unit_price, unit_of_measure,
           multi_buy_quantity, multi_buy_cents, is_on_special::text, is_available::text, is_listed::text, delisted_at, is_current::text, observed_at,
           greatest(price_changed_at, sku_changed_at) AS changed_at, source, anchor_store_id, is_confirmed::text
      FROM (SELECT * FROM core.dated_store_price WHERE %(since)s::timestamptz IS NULL OR price_changed_at >= %(since)s
             UNION ALL
            SELECT * FROM core.dated_store_price WHERE sku_changed_at >= %(since)s::timestamptz AND price_changed_at < %(since)s) AS price
     WHERE %(retailer)s::text IS NULL OR retailer = %(retailer)s
) TO STDOUT (FORMAT csv)

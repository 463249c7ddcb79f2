-- Send the rows of the public contract view, all or since a cursor, as CSV in one snapshot.
--
-- Called by   include/readers/export.py
-- Parameters  retailer text: one retailer only, null = all; since timestamptz: rows changed at or after it, null = all
-- Reads       core.dated_store_price   one row per store and SKU, in no order; core.inference_change, core.group_anchor, core.price, core.sku
-- Units       booleans are written true and false, instants in UTC with their offset; null is empty, an empty text is ""
-- Run again   same result while nothing is published and no group changes
--
-- The rows of core.store_price, found by an index: of the instant at which the price changed (the anchor's for its members), or the SKU, or by the stores of which the
-- group, or a price of a member's own, changed.

COPY (
    WITH turned AS MATERIALIZED (
        SELECT store_key FROM core.inference_change WHERE changed_at >= %(since)s::timestamptz
         UNION
        SELECT store_key FROM core.price WHERE changed_at >= %(since)s::timestamptz AND store_key = ANY (ARRAY(SELECT store_key FROM core.group_anchor))
    ), read_from AS MATERIALIZED (
        SELECT store_key FROM turned
         UNION
        SELECT grouped.anchor_store_key FROM core.group_anchor AS grouped JOIN turned USING (store_key)
    )
    SELECT retailer, store_id, sku, product_id, barcode, contested_barcode, name, brand, size, price_cents, was_price_cents, price_basis, unit_price, unit_of_measure,
           multi_buy_quantity, multi_buy_cents, is_on_special::text, is_available::text, is_listed::text, delisted_at, is_current::text, observed_at,
           changed_at, source, anchor_store_id, is_confirmed::text
      FROM (SELECT * FROM core.dated_store_price WHERE %(since)s::timestamptz IS NULL OR price_changed_at >= %(since)s
             UNION ALL
            SELECT * FROM core.dated_store_price
             WHERE sku_key = ANY (ARRAY(SELECT sku_key FROM core.sku WHERE sku_changed_at >= %(since)s::timestamptz)) AND price_changed_at < %(since)s
             UNION ALL
            SELECT * FROM core.dated_store_price
             WHERE store_key = ANY (ARRAY(SELECT store_key FROM turned)) AND price_store_key = ANY (ARRAY(SELECT store_key FROM read_from))
               AND price_changed_at < %(since)s AND sku_changed_at < %(since)s AND changed_at >= %(since)s) AS price
     WHERE %(retailer)s::text IS NULL OR retailer = %(retailer)s
) TO STDOUT (FORMAT csv)

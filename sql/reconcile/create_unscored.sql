-- Create the working table of the SKUs whose products may be others without the matcher's own joins.
--
-- Called by   include/catalogue/reconcile.py; filled when it looks at all SKUs
-- Writes      unscored   temporary; one row per SKU
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS unscored (
    sku_key    integer PRIMARY KEY,
    product_id bigint NOT NULL
) ON COMMIT DROP

-- Create the working table of one resolution: SKUs unknown to the catalogue.
--
-- Called by   include/catalogue/regroup.py
-- Writes      pending   temporary, dropped when the transaction ends; one row per unknown SKU with its newest texts
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS pending (
    sku_key   integer PRIMARY KEY DEFAULT nextval(pg_get_serial_sequence('core.sku', 'sku_key')),
    retailer  text NOT NULL,
    sku       text NOT NULL UNIQUE,
    name      text NOT NULL,
    brand     text,
    size      text,
    category  text,
    url       text,
    image_url text,
    gtins     text[],
    texts_at  timestamptz NOT NULL
) ON COMMIT DROP

-- Create the working table of one resolution: SKUs unknown to the catalogue.
--
-- Called by   include/catalogue/resolve.py
-- Writes      pending   temporary, dropped when the transaction ends; one row per unknown SKU, n in order of SKU
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS pending (
    n             integer PRIMARY KEY,
    retailer      text NOT NULL,
    sku           text NOT NULL,
    name          text NOT NULL,
    brand         text,
    size          text,
    category      text,
    url           text,
    image_url     text,
    gtins         text[],
    normalised_text     text NOT NULL,
    product_key   text,
    folded_brand  text,
    own_label_of  text,
    size_quantity numeric,
    size_unit     text,
    leader        integer,
    product_id    bigint,
    joined_by     text,
    match_evidence    jsonb,
    texts_at      timestamptz
) ON COMMIT DROP

-- Create the working table of SKUs whose deciding text, barcodes or rules changed.
--
-- Called by   include/catalogue/regroup.py
-- Writes      changed_identity   temporary; one row per SKU whose deciding text is new, another or read again
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS changed_identity (
    sku_key         integer PRIMARY KEY,
    name            text NOT NULL,
    brand           text,
    size            text,
    observed_at     timestamptz NOT NULL,
    product_keys    text[] NOT NULL,
    loose_key       text,
    folded_brand    text NOT NULL,
    size_quantity   numeric,
    size_unit       text,
    own_label_of    text,
    reading_hash    text NOT NULL,
    former_until_at timestamptz,
    is_reused       boolean NOT NULL,
    piece_count     integer,
    piece_count_at  timestamptz
) ON COMMIT DROP

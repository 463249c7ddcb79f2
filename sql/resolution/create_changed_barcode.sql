-- Create the working table of barcode claims that are new or changed.
--
-- Called by   include/catalogue/regroup.py
-- Writes      changed_barcode   temporary; one row per (SKU, barcode)
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS changed_barcode (
    sku_key       integer NOT NULL,
    gtin          text NOT NULL,
    together      text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    source        text NOT NULL,
    file_id       bigint,
    PRIMARY KEY (sku_key, gtin)
) ON COMMIT DROP

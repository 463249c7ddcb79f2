-- Create the working table of the outcome: what was decided about each barcode claim.
--
-- Called by   include/catalogue/regroup.py
-- Writes      judged   temporary; one row per (SKU, barcode) of the members; a reason against it, or null
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS judged (
    sku_key         integer NOT NULL,
    gtin            text NOT NULL,
    refused_because text,
    PRIMARY KEY (sku_key, gtin)
) ON COMMIT DROP

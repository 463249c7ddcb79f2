-- Create the working table of what the matcher found.
--
-- Called by   include/catalogue/reconcile.py
-- Writes      matched   temporary; one row per pair of SKUs
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS matched (
    left_sku_key  integer NOT NULL,
    right_sku_key integer NOT NULL,
    score         numeric NOT NULL,
    is_sure       boolean NOT NULL,
    reason        text NOT NULL,
    evidence      jsonb NOT NULL,
    PRIMARY KEY (left_sku_key, right_sku_key)
) ON COMMIT DROP

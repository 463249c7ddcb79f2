-- Create the working table of the outcome: pairs of SKUs whose products may be one.
--
-- Called by   include/catalogue/regroup.py
-- Writes      proposed   temporary; one row per pair and reason
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS proposed (
    sku_key       integer NOT NULL,
    other_sku_key integer NOT NULL,
    reason        text NOT NULL,
    evidence      text NOT NULL
) ON COMMIT DROP

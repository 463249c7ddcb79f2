-- Create the working table of the outcome: the group of each SKU.
--
-- Called by   include/catalogue/regroup.py
-- Writes      placed   temporary; one row per member, position in the order in which SKUs were first seen
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS placed (
    sku_key    integer PRIMARY KEY,
    group_n    integer NOT NULL,
    position   integer NOT NULL,
    joined_by  text NOT NULL,
    evidence   text,
    decision_id bigint,
    product_id bigint,
    is_home    boolean NOT NULL DEFAULT false
) ON COMMIT DROP

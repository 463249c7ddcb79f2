-- Create the working table of what look-ups found.
--
-- Called by   include/catalogue/resolve.py
-- Writes      looked_up   temporary; one row per SKU with an answer
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS looked_up (
    sku    text PRIMARY KEY,
    gtins  text[] NOT NULL,
    name   text NOT NULL,
    brand  text,
    size   text,
    at     timestamptz NOT NULL,
    source text NOT NULL
) ON COMMIT DROP

-- Record a publication of bargains.
--
-- Called by   include/bargains/publish.py
-- Parameters  night date; now timestamptz; missing jsonb; products, compared, small, implausible, bargains integer
-- Writes      ops.bargain_run   one row per night
-- Run again   same rows

INSERT INTO ops.bargain_run (night, published_at, missing, products, compared, small, implausible, bargains)
VALUES (%(night)s, %(now)s, %(missing)s, %(products)s, %(compared)s, %(small)s, %(implausible)s, %(bargains)s)
    ON CONFLICT (night) DO UPDATE
   SET published_at = excluded.published_at, missing = excluded.missing, products = excluded.products, compared = excluded.compared, small = excluded.small,
       implausible = excluded.implausible, bargains = excluded.bargains

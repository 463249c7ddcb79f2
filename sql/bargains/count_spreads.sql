-- Count what becomes a bargain and what is left out.
--
-- Called by   include/bargains/publish.py
-- Parameters  saving_min, saving_max numeric: least and greatest saving of a bargain, as a share of the higher price
-- Reads       bargain_offer, bargain_spread
-- Run again   same result

SELECT (SELECT count(DISTINCT product_id) FROM bargain_offer) AS products, count(*) AS compared,
       count(*) FILTER (WHERE 1 - lowest / highest < %(saving_min)s::numeric) AS small,
       count(*) FILTER (WHERE 1 - lowest / highest > %(saving_max)s::numeric) AS implausible,
       count(*) FILTER (WHERE 1 - lowest / highest BETWEEN %(saving_min)s::numeric AND %(saving_max)s::numeric) AS bargains
  FROM bargain_spread

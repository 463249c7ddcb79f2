-- List the stores around a postcode or a store, the nearest first, with their distance in kilometres.
--
-- Called by   include/readers/search.py
-- Parameters  postcode text (null = around the store); retailer text (null = any) and store_id text; within_km double precision
-- Reads       core.store
-- Run again   same result while the stores are the same

WITH centre AS (
    SELECT avg(latitude) AS latitude, avg(longitude) AS longitude, count(*) AS stores, count(latitude) AS located
      FROM core.store
     WHERE CASE WHEN %(postcode)s::text IS NULL THEN store_id = %(store_id)s AND (%(retailer)s::text IS NULL OR retailer = %(retailer)s) ELSE postcode = %(postcode)s END
)
SELECT st.store_key, st.retailer, st.store_id, st.name, round(distance.km::numeric, 1)::float AS km
  FROM core.store AS st
 CROSS JOIN centre
 CROSS JOIN LATERAL (SELECT 12742 * asin(sqrt(sin(radians(st.latitude - centre.latitude) / 2) ^ 2
                            + cos(radians(centre.latitude)) * cos(radians(st.latitude)) * sin(radians(st.longitude - centre.longitude) / 2) ^ 2)) AS km) AS distance
 WHERE distance.km <= %(within_km)s
    OR CASE WHEN %(postcode)s::text IS NULL THEN st.store_id = %(store_id)s AND (%(retailer)s::text IS NULL OR st.retailer = %(retailer)s) ELSE st.postcode = %(postcode)s END
 ORDER BY km NULLS LAST, st.retailer, st.store_id

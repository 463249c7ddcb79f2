-- Insert or rename the rows of the code's retailers.
--
-- Called by   include/warehouse/migrations.py, at every migration and every start
-- Parameters  retailers, names text[]: slugs and names (parallel)
-- Writes      core.retailer   one row per retailer; rows of retailers removed from the code stay, with their prices
-- Run again   nothing written

INSERT INTO core.retailer AS known (retailer, name)
SELECT retailer, name FROM unnest(%(retailers)s::text[], %(names)s::text[]) AS given (retailer, name)
 WHERE NOT EXISTS (SELECT FROM core.retailer AS same WHERE (same.retailer, same.name) = (given.retailer, given.name))
    ON CONFLICT (retailer) DO UPDATE
   SET name = excluded.name

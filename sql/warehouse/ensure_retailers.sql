-- Make sure every retailer of the code has its row, under the name the code gives it.
--
-- Called by   include/warehouse/migrations.py, at every migration and every start
-- Parameters  retailers, names text[]: slugs and names, place by place
-- Writes      core.retailer   one row per retailer; one the code no longer knows stays: its prices do too
-- Run again   nothing written

INSERT INTO core.retailer AS known (retailer, name)
SELECT retailer, name FROM unnest(%(retailers)s::text[], %(names)s::text[]) AS given (retailer, name)
 WHERE NOT EXISTS (SELECT FROM core.retailer AS same WHERE (same.retailer, same.name) = (given.retailer, given.name))
    ON CONFLICT (retailer) DO UPDATE
   SET name = excluded.name

-- Copy out the product table: every key of a product that is not the product's canonical one, beside that one.
--
-- Called by   include/catalogue/tables.py
-- Reads       core.product_alias
-- Run again   same result
--
-- The canonical key of a product is the one with the fewest words, of these the shortest, of these the first in byte order: the same whatever the order in
-- which keys were learnt. A key of several products tells none of them, so it stands on neither side.

COPY (
    WITH own AS (
        SELECT product_key, min(product_id) AS product_id
          FROM core.product_alias
         GROUP BY product_key
        HAVING min(product_id) = max(product_id)
    ), named AS (
        SELECT product_key,
               first_value(product_key) OVER (
                   PARTITION BY product_id
                   ORDER BY length(product_key) - length(replace(product_key, ' ', '')), length(product_key), product_key COLLATE "C"
               ) AS canonical
          FROM own
    )
    SELECT product_key, canonical FROM named WHERE product_key <> canonical
) TO STDOUT

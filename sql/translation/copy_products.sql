-- Copy out the product table: every key of a product that is not the product's canonical one, beside that one.
--
-- Called by   include/catalogue/tables.py
-- Reads       core.sku_product_key, core.sku
-- Run again   same result
--
-- The canonical key of a product is the one with the fewest words, of these the shortest, of these the first in byte order: the same whatever the order in
-- which keys were learnt. Keys are those of likeliest readings, as crawlers write them: "10 pack" beside "10 x 375 ml" is another reading of one text, no
-- variation. A key that any reading leads to several products tells none of them, so it stands on neither side.

COPY (
    WITH own AS (
        SELECT alias.product_key, min(sku.product_id) AS product_id
          FROM core.sku_product_key AS alias
          JOIN core.sku AS sku USING (sku_key)
         GROUP BY alias.product_key
        HAVING min(sku.product_id) = max(sku.product_id) AND min(alias.position) = 1
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

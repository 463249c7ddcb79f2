-- Copy out the brand table: every folded brand that another one stands for, beside that one.
--
-- Called by   include/catalogue/tables.py
-- Reads       core.brand
-- Run again   same result

COPY (
    SELECT brand.folded, canonical.folded
      FROM core.brand AS brand
      JOIN core.brand AS canonical ON canonical.brand_id = brand.canonical_id
     WHERE canonical.brand_id <> brand.brand_id
) TO STDOUT

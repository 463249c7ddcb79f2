-- Set the canonical brand of every brand: of the ones given, and null for all others.
--
-- Called by   include/catalogue/brands.py
-- Parameters  brand_ids, canonical_ids integer[]: one each
-- Writes      core.brand   canonical_id
-- Run again   nothing written

UPDATE core.brand AS brand
   SET canonical_id = chosen.canonical_id
  FROM (SELECT known.brand_id, given.canonical_id
          FROM core.brand AS known
          LEFT JOIN unnest(%(brand_ids)s::integer[], %(canonical_ids)s::integer[]) AS given (brand_id, canonical_id) USING (brand_id)) AS chosen
 WHERE brand.brand_id = chosen.brand_id AND brand.canonical_id IS DISTINCT FROM chosen.canonical_id

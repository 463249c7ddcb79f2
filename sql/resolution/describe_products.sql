-- Describe products by the deciding texts of their SKUs: of each column the value of the first SKU that has one.
--
-- Called by   include/catalogue/regroup.py
-- Reads       placed, core.sku_identity, core.brand
-- Writes      core.product
-- Run again   nothing written

WITH described AS (
    SELECT placed.product_id, (array_agg(identity.name ORDER BY placed.position))[1] AS name,
           (array_agg(coalesce(brand.canonical_id, identity.brand_id) ORDER BY placed.position) FILTER (WHERE identity.brand_id IS NOT NULL))[1] AS brand_id,
           (array_agg(identity.size ORDER BY placed.position) FILTER (WHERE identity.size IS NOT NULL))[1] AS size,
           (array_agg(identity.size_quantity ORDER BY placed.position) FILTER (WHERE identity.size IS NOT NULL))[1] AS size_quantity,
           (array_agg(identity.size_unit ORDER BY placed.position) FILTER (WHERE identity.size IS NOT NULL))[1] AS size_unit,
           (array_agg(identity.own_label_of ORDER BY placed.position) FILTER (WHERE identity.own_label_of IS NOT NULL))[1] AS own_label_of
      FROM placed
      JOIN core.sku_identity AS identity ON identity.sku_key = placed.sku_key AND identity.sku_key = ANY (ARRAY(SELECT sku_key FROM placed))
      LEFT JOIN core.brand AS brand ON brand.brand_id = identity.brand_id
     GROUP BY placed.product_id
)
UPDATE core.product AS product
   SET name = described.name, brand_id = described.brand_id, size = described.size, size_quantity = described.size_quantity, size_unit = described.size_unit,
       own_label_of = described.own_label_of
  FROM described
 WHERE product.product_id = described.product_id AND product.product_id = ANY (ARRAY(SELECT product_id FROM placed))
   AND (product.name, product.brand_id, product.size, product.size_quantity, product.size_unit, product.own_label_of) IS DISTINCT FROM
       (described.name, described.brand_id, described.size, described.size_quantity, described.size_unit, described.own_label_of)

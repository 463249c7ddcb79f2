-- Join leaders by product key, if the key leads to exactly one product and no conflict prevents it.
--
-- Called by   include/catalogue/resolve.py: once for leaders with a barcode, then for those without
-- Parameters  has_barcode boolean; rule_version integer; size_tolerance numeric: sizes that differ by a larger share conflict
-- Reads       pending, core.product_alias, core.product, core.product_barcode, core.sku
-- Writes      pending   product_id, joined_by, match_evidence
-- Run again   nothing written
--
-- Against it: the product has a barcode and the SKU another; it is another retailer's own label; sizes differ by more than
-- the tolerance; it already has a SKU of this retailer under different text; an earlier leader of this batch has the key.

UPDATE pending
   SET product_id = hit.product_id, joined_by = 'key', match_evidence = jsonb_build_object('key', pending.product_key, 'rule_version', %(rule_version)s::integer)
  FROM (SELECT p.n, min(alias.product_id) AS product_id
          FROM (SELECT product_key, min(n) AS n
                  FROM pending
                 WHERE product_id IS NULL AND leader = n AND product_key IS NOT NULL AND (gtins IS NOT NULL) = %(has_barcode)s
                 GROUP BY product_key) AS p
          JOIN core.product_alias AS alias USING (product_key)
         WHERE EXISTS (SELECT FROM core.sku AS living WHERE living.product_id = alias.product_id)
         GROUP BY p.n
        HAVING count(*) = 1) AS hit
  JOIN core.product AS product USING (product_id)
 WHERE hit.n = pending.n
   AND NOT (%(has_barcode)s AND EXISTS (SELECT FROM core.product_barcode AS b WHERE b.product_id = hit.product_id))
   AND (product.own_label_of IS NULL OR product.own_label_of = pending.retailer)
   AND (pending.own_label_of IS NULL
        OR NOT EXISTS (SELECT FROM core.sku AS other WHERE other.product_id = hit.product_id AND other.retailer <> pending.own_label_of))
   AND (product.size_unit IS DISTINCT FROM pending.size_unit OR product.size_unit IS NULL
        OR abs(product.size_quantity - pending.size_quantity) <= %(size_tolerance)s * greatest(product.size_quantity, pending.size_quantity))
   AND NOT EXISTS (SELECT FROM core.sku AS other
                    WHERE other.product_id = hit.product_id AND other.retailer = pending.retailer
                      AND lower(concat_ws('|', other.name, coalesce(other.brand, ''), coalesce(other.size, ''))) <> pending.normalised_text)

-- Record learned barcodes that conflict with known data, with both sides; they are not applied.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text; now timestamptz; size_tolerance numeric: sizes that differ by a larger share conflict
-- Reads       learned_barcode, core.product, core.product_barcode, core.sku
-- Writes      ops.barcode_conflict
-- Run again   nothing written

INSERT INTO ops.barcode_conflict (retailer, sku, gtin, product_id, owner_product_id, reason, file_id, detected_at)
SELECT %(retailer)s, sku, gtin, product_id, owner_product_id, reason, file_id, %(now)s
  FROM (SELECT learned_barcode.sku, learned_barcode.gtin, learned_barcode.product_id, owner.product_id AS owner_product_id, learned_barcode.file_id,
               CASE WHEN learned_barcode.has_barcode AND NOT (learned_barcode.has_known_barcode AND owner.product_id IS NULL) THEN 'other_barcode'
                    WHEN owner.own_label_of IS NOT NULL AND owner.own_label_of <> %(retailer)s
                      OR mine.own_label_of IS NOT NULL
                         AND EXISTS (SELECT FROM core.sku AS s WHERE s.product_id = owner.product_id AND s.retailer <> mine.own_label_of) THEN 'own_label'
                    WHEN owner.size_unit = mine.size_unit
                     AND abs(owner.size_quantity - mine.size_quantity) > %(size_tolerance)s * greatest(owner.size_quantity, mine.size_quantity) THEN 'size'
                END AS reason
          FROM learned_barcode
          JOIN core.product AS mine ON mine.product_id = learned_barcode.product_id
          LEFT JOIN core.product_barcode AS owned ON owned.gtin = learned_barcode.gtin
          LEFT JOIN core.product AS owner ON owner.product_id = owned.product_id) AS judged
 WHERE reason IS NOT NULL
    ON CONFLICT (retailer, sku, gtin) DO NOTHING

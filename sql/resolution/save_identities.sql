-- Save the deciding texts and what was read from them.
--
-- Called by   include/catalogue/read_again.py
-- Parameters  rule_version integer
-- Reads       changed_identity, core.brand
-- Writes      core.sku_identity
-- Run again   nothing written

INSERT INTO core.sku_identity AS identity
       (sku_key, name, brand, size, observed_at, rule_version, reading_hash, loose_key, brand_id, size_quantity, size_unit, own_label_of,
        piece_count, piece_count_at)
SELECT changed.sku_key, changed.name, changed.brand, changed.size, changed.observed_at, %(rule_version)s, changed.reading_hash, changed.loose_key, brand.brand_id,
       changed.size_quantity, changed.size_unit, changed.own_label_of, changed.piece_count, changed.piece_count_at
  FROM changed_identity AS changed
  LEFT JOIN core.brand AS brand ON brand.folded = changed.folded_brand AND brand.folded = ANY (ARRAY(SELECT DISTINCT folded_brand FROM changed_identity))
 ORDER BY changed.sku_key
    ON CONFLICT (sku_key) DO UPDATE
   SET name = excluded.name, brand = excluded.brand, size = excluded.size, observed_at = excluded.observed_at, rule_version = excluded.rule_version,
       reading_hash = excluded.reading_hash, loose_key = excluded.loose_key, brand_id = excluded.brand_id, size_quantity = excluded.size_quantity,
       size_unit = excluded.size_unit, own_label_of = excluded.own_label_of, piece_count = excluded.piece_count, piece_count_at = excluded.piece_count_at
 WHERE (identity.name, identity.brand, identity.size, identity.observed_at, identity.rule_version, identity.reading_hash, identity.piece_count, identity.piece_count_at) IS DISTINCT FROM
       (excluded.name, excluded.brand, excluded.size, excluded.observed_at, excluded.rule_version, excluded.reading_hash, excluded.piece_count, excluded.piece_count_at)

-- Record comparisons of stores, the evidence of every change of a group; return their ids.
--
-- Called by   include/groups/maintenance.py
-- Parameters  comparisons jsonb: left, right (store keys), left_file_id, right_file_id, price_week, left_listed, right_listed, common, equal, range_overlap, is_match;
--             differences jsonb: left_file_id, right_file_id, place, sku_key, left_cents, right_cents; purpose text; now timestamptz
-- Reads       core.sku
-- Writes      ops.store_comparison   one row per pair of store-days and purpose
-- Run again   same rows

WITH named AS (
    SELECT found.left_file_id, found.right_file_id,
           jsonb_agg(jsonb_build_object('sku', sku.sku, 'left_cents', found.left_cents, 'right_cents', found.right_cents) ORDER BY found.place) AS differences
      FROM jsonb_to_recordset(%(differences)s::jsonb) AS found (left_file_id bigint, right_file_id bigint, place integer, sku_key integer, left_cents integer, right_cents integer)
      JOIN core.sku AS sku USING (sku_key)
     GROUP BY found.left_file_id, found.right_file_id
)
INSERT INTO ops.store_comparison AS known (left_store_key, right_store_key, left_file_id, right_file_id, purpose, price_week, left_listed, right_listed, common, equal,
                                           range_overlap, is_match, differences, compared_at)
SELECT made.left, made.right, made.left_file_id, made.right_file_id, %(purpose)s, made.price_week, made.left_listed, made.right_listed, made.common, made.equal,
       made.range_overlap, made.is_match, coalesce(named.differences, '[]'), %(now)s
  FROM jsonb_to_recordset(%(comparisons)s::jsonb) AS made ("left" integer, "right" integer, left_file_id bigint, right_file_id bigint, price_week date, left_listed integer,
                                                           right_listed integer, common integer, equal integer, range_overlap double precision, is_match boolean)
  LEFT JOIN named USING (left_file_id, right_file_id)
    ON CONFLICT (left_file_id, right_file_id, purpose) DO UPDATE
   SET left_listed = excluded.left_listed, right_listed = excluded.right_listed, common = excluded.common, equal = excluded.equal, range_overlap = excluded.range_overlap,
       is_match = excluded.is_match, differences = excluded.differences, compared_at = excluded.compared_at
RETURNING comparison_id, left_store_key, right_store_key, is_match

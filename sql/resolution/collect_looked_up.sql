-- Collect what look-ups found for known SKUs, in the form in which lines are collected.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  retailer text
-- Reads       looked_up, core.sku
-- Writes      sighting   temporary; one row per SKU
-- Run again   nothing written

CREATE TEMPORARY TABLE IF NOT EXISTS sighting ON COMMIT DROP AS
SELECT known.sku_key, true AS is_known, looked_up.name, looked_up.brand, looked_up.size, looked_up.gtins, looked_up.at AS first_at, looked_up.at AS last_at,
       looked_up.source, NULL::bigint AS file_id, NULL::integer AS piece_count, NULL::timestamptz AS piece_count_at
  FROM core.sku AS known
  JOIN looked_up ON looked_up.sku = known.sku
 WHERE known.retailer = %(retailer)s AND known.sku = ANY (ARRAY(SELECT sku FROM looked_up))

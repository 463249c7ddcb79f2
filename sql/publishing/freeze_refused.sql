-- A listed line that was refused is neither delisted nor refreshed: its price keeps the instant it was last observed at.
--
-- Called by   include/ingestion/store_prices.py, for a complete store-day, before the store's watermark moves
-- Parameters  file_id bigint; store_key integer
-- Reads       staging.offer (refused lines with a SKU that no accepted line repeats), core.store, core.sku
-- Writes      core.price   observed_at, uses_store_watermark
--             core.inference_change   by a trigger: stores of groups
-- Run again   nothing written
--
-- A line whose SKU cannot be read may be any good that the store-day does not list otherwise: then all of those are frozen.

WITH cut AS MATERIALIZED (
    SELECT 1 FROM staging.offer WHERE file_id = %(file_id)s AND sku IS NULL LIMIT 1
), unsure AS MATERIALIZED (
    SELECT sku.sku_key
      FROM core.sku AS sku
     WHERE sku.retailer = (SELECT retailer FROM core.store WHERE store_key = %(store_key)s)
       AND EXISTS (SELECT FROM staging.offer AS refused WHERE refused.file_id = %(file_id)s AND refused.sku = sku.sku AND refused.reasons IS NOT NULL)
       AND NOT EXISTS (SELECT FROM staging.offer AS accepted WHERE accepted.file_id = %(file_id)s AND accepted.sku = sku.sku AND accepted.reasons IS NULL)
     UNION ALL
    SELECT sku.sku_key
      FROM core.sku AS sku
     WHERE EXISTS (SELECT FROM cut)
       AND sku.retailer = (SELECT retailer FROM core.store WHERE store_key = %(store_key)s)
       AND NOT EXISTS (SELECT FROM staging.offer AS listed WHERE listed.file_id = %(file_id)s AND listed.sku = sku.sku)
)
UPDATE core.price AS known
   SET observed_at = greatest(known.observed_at, (SELECT complete_at FROM core.store WHERE store_key = %(store_key)s)), uses_store_watermark = false
  FROM unsure
 WHERE known.store_key = %(store_key)s AND known.sku_key = unsure.sku_key AND known.is_listed AND known.uses_store_watermark

-- Return whether a store-day may be published: its rows are in staging and checked, and every accepted SKU has its product.
--
-- Called by   include/ingestion/publish.py, in the publishing transaction
-- Parameters  file_id bigint
-- Reads       ops.staged_file, staging.loaded_file, staging.offer, core.sku
-- Run again   same result

SELECT file.check_version IS NOT NULL
       AND EXISTS (SELECT FROM staging.loaded_file AS mark WHERE mark.file_id = file.file_id)
       AND NOT EXISTS (SELECT FROM staging.offer AS offer
                        WHERE offer.file_id = file.file_id AND offer.reasons IS NULL AND NOT offer.is_folded
                          AND NOT EXISTS (SELECT FROM core.sku AS sku WHERE sku.retailer = file.retailer AND sku.sku = offer.sku)) AS is_ready
  FROM ops.staged_file AS file
 WHERE file.file_id = %(file_id)s

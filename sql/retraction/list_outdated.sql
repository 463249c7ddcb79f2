-- List store-days that published no prices only because the retracted store-day was newer.
--
-- Called by   include/ingestion/retract.py
-- Parameters  retailer, store_id text; file_id bigint, observed_at timestamptz: the retracted store-day
-- Reads       ops.staged_file
-- Run again   same result while nothing is published

SELECT file_id
  FROM ops.staged_file AS late
 WHERE retailer = %(retailer)s AND store_id = %(store_id)s AND state = 'superseded' AND published_at IS NOT NULL
   AND (observed_at, file_id) < (%(observed_at)s, %(file_id)s)
   AND NOT EXISTS (SELECT FROM ops.staged_file AS other
                    WHERE other.retailer = late.retailer AND other.store_id = late.store_id AND other.state = 'published' AND other.is_complete
                      AND (other.observed_at, other.file_id) > (late.observed_at, late.file_id))
 ORDER BY file_id

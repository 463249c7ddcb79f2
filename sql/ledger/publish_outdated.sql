-- Publish the store-days of a store that were superseded on arrival by a newer complete one, which is not complete any more.
--
-- Called by   include/ledger/completeness.py; their prices are published again with the store's others
-- Parameters  file_id bigint: a store-day of the store
-- Writes      ops.staged_file   state; the counts say what their first publication did
-- Run again   nothing written

UPDATE ops.staged_file AS late
   SET state = 'published', state_reason = NULL
  FROM ops.staged_file AS revised
 WHERE revised.file_id = %(file_id)s AND late.retailer = revised.retailer AND late.store_id = revised.store_id
   AND late.state = 'superseded' AND late.published_at IS NOT NULL
   AND NOT EXISTS (SELECT
                     FROM ops.staged_file AS newer
                    WHERE newer.retailer = late.retailer AND newer.store_id = late.store_id AND newer.state = 'published' AND newer.is_complete
                      AND newer.observed_at > late.last_observed_at)

-- Record the outcome of released lines, and delete those from staging whose price must not be published.
--
-- Called by   include/ledger/quarantine.py, under the store's lock, right before their prices are merged
-- Parameters  file_id bigint; store_key integer; by, reason text: user and reason; now timestamptz
-- Reads       staging.offer (only the file's lines to release), core.store, core.sku, core.price, ops.staged_file
-- Writes      ops.quarantined_offer   state, outcome, and the decision; staging.offer   outdated lines are removed
-- Run again   nothing written
--
-- Outdated: the line is older than the store's last complete store-day, or a newer observation of the SKU is known.

WITH decided AS (
    SELECT offer.line_number,
           CASE WHEN offer.is_folded THEN 'folded'
                WHEN (offer.observed_at, offer.file_id) < (store.complete_at, store.complete_file_id) THEN 'outdated'
                WHEN (price.observed_at, price.file_id) > (offer.observed_at, offer.file_id) THEN 'outdated'
                WHEN offer.price IS NULL THEN 'unavailable'
                ELSE 'published'
           END AS outcome
      FROM staging.offer AS offer
      JOIN core.store AS store ON store.store_key = %(store_key)s
      LEFT JOIN core.sku AS sku ON sku.retailer = (SELECT retailer FROM ops.staged_file WHERE file_id = %(file_id)s) AND sku.sku = offer.sku
      LEFT JOIN core.price AS price ON price.store_key = store.store_key AND price.sku_key = sku.sku_key AND price.retracted_at IS NULL
     WHERE offer.file_id = %(file_id)s
), unpublished AS (
    DELETE FROM staging.offer AS offer
     USING decided
     WHERE offer.file_id = %(file_id)s AND offer.line_number = decided.line_number AND decided.outcome = 'outdated'
)
UPDATE ops.quarantined_offer AS line
   SET state = 'released', outcome = decided.outcome, decided_by = %(by)s, decision_reason = %(reason)s, decided_at = %(now)s
  FROM decided
 WHERE line.file_id = %(file_id)s AND line.line_number = decided.line_number AND line.state = 'quarantined'
RETURNING line.line_number, line.outcome

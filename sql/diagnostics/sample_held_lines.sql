-- Sample lines of one held store-day: refused ones first, then those with the largest price changes (those too far from the known price among them), then the first ones.
--
-- Called by   include/alerts/alerts.py, include/alerts/held_question.py
-- Parameters  file_id bigint; lines integer: maximum
-- Reads       staging.offer, core.sku, core.store, core.price
-- Run again   same result while the store-day is in staging

SELECT offer.line_number, offer.sku, offer.name, offer.size, offer.price, nullif(array_remove(offer.reasons, 'price_far_from_known'), '{}') AS reasons, known.price_cents AS known_cents
  FROM staging.offer AS offer
  JOIN ops.staged_file AS file USING (file_id)
  LEFT JOIN core.store AS store ON store.retailer = file.retailer AND store.store_id = file.store_id
  LEFT JOIN core.sku AS sku ON sku.retailer = (SELECT retailer FROM ops.staged_file WHERE file_id = %(file_id)s) AND sku.sku = offer.sku
  LEFT JOIN core.price AS known ON known.store_key = store.store_key AND known.sku_key = sku.sku_key
        AND known.store_key = ANY (ARRAY(SELECT s.store_key FROM core.store AS s JOIN ops.staged_file AS f USING (retailer, store_id) WHERE f.file_id = %(file_id)s))
 WHERE offer.file_id = %(file_id)s AND NOT offer.is_folded
 ORDER BY (offer.reasons <@ ARRAY['price_far_from_known']) IS NOT FALSE, abs(ln(nullif(greatest(offer.price, 0), 0) * 100 / known.price_cents)) DESC NULLS LAST, offer.line_number
 LIMIT %(lines)s

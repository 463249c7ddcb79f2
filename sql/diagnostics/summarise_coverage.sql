-- Summarise what is known per retailer and night: published stores and goods, the share of lines in quarantine, and how old the prices are.
--
-- Called by   include/diagnostics/coverage.py
-- Parameters  retailer text (null = all); first_night date; now timestamptz
-- Reads       ops.staged_file, core.store, core.group_anchor
-- Run again   same result while the ledger is the same

WITH trading AS (
    SELECT retailer, count(*)::integer AS stores_known FROM core.store WHERE is_supermarket IS NOT false AND is_trading IS NOT false AND closed_at IS NULL GROUP BY retailer
)
SELECT file.retailer, file.night, count(DISTINCT file.store_id) FILTER (WHERE file.is_past_store_day)::integer AS stores, coalesce(max(trading.stores_known), 0) AS stores_known,
       coalesce(sum(coalesce(file.goods, file.rows)) FILTER (WHERE file.state = 'published'), 0)::integer AS offers,
       round(coalesce(sum(file.quarantined)::numeric / nullif(sum(file.rows) FILTER (WHERE file.quarantined IS NOT NULL), 0), 0), 4)::float AS quarantine_share,
       count(DISTINCT file.store_id) FILTER (WHERE file.state = 'held')::integer AS held,
       count(DISTINCT st.store_key)::integer AS stores_newest, coalesce(sum(grouped.members), 0)::integer AS stores_inferred,
       round((avg(extract(epoch FROM %(now)s::timestamptz - file.observed_at)) FILTER (WHERE file.is_past_store_day) / 3600)::numeric, 1)::float AS age_hours
  FROM ops.staged_file AS file
  LEFT JOIN trading USING (retailer)
  LEFT JOIN core.store AS st ON st.complete_file_id = file.file_id
  LEFT JOIN (SELECT anchor_store_key, count(*) AS members FROM core.group_anchor GROUP BY anchor_store_key) AS grouped ON grouped.anchor_store_key = st.store_key
 WHERE file.night >= %(first_night)s AND (%(retailer)s::text IS NULL OR file.retailer = %(retailer)s)
 GROUP BY file.retailer, file.night
 ORDER BY file.night DESC, file.retailer

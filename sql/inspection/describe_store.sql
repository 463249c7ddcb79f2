-- Describe one store, with the number of its prices.
--
-- Called by   include/diagnostics/inspect_store.py
-- Parameters  retailer, store_id text
-- Reads       core.store, core.price
-- Run again   same result while store and prices are the same

SELECT store.retailer, store.store_id, store.online_store_id, store.name, store.suburb, store.state, store.postcode, store.division, store.is_supermarket, store.is_trading,
       store.is_confirmed, store.first_seen_at, store.discovered_at, store.absences, store.closed_at, store.complete_at, store.complete_file_id,
       (SELECT count(*)::integer FROM core.price AS price WHERE price.store_key = store.store_key) AS prices,
       (SELECT count(*)::integer FROM core.price AS price WHERE price.store_key = store.store_key AND price.is_listed) AS listed,
       (SELECT max(price.changed_at) FROM core.price AS price WHERE price.store_key = store.store_key) AS newest_change_at
  FROM core.store AS store
 WHERE store.retailer = %(retailer)s AND store.store_id = %(store_id)s

-- Insert a store before its prices; one known only from a file is unconfirmed.
--
-- Called by   include/ingestion/publish.py
-- Parameters  retailer, store_id, name, state, online_store_id text; now timestamptz
-- Writes      core.store   a new row, or empty columns are filled
-- Run again   nothing written

INSERT INTO core.store AS known (retailer, store_id, name, state, online_store_id, first_seen_at)
VALUES (%(retailer)s, %(store_id)s, %(name)s, upper(%(state)s), %(online_store_id)s, %(now)s)
    ON CONFLICT (retailer, store_id) DO UPDATE
   SET name = coalesce(known.name, excluded.name), state = coalesce(known.state, excluded.state),
       online_store_id = coalesce(known.online_store_id, excluded.online_store_id)
 WHERE (known.name, known.state, known.online_store_id) IS DISTINCT FROM
       (coalesce(known.name, excluded.name), coalesce(known.state, excluded.state), coalesce(known.online_store_id, excluded.online_store_id))

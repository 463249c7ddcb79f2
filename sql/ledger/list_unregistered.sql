-- List the staged files that the ledger does not know.
--
-- Called by   include/ledger/registering.py
-- Parameters  paths, retailers, store_ids, run_keys, hashes text[] (parallel): of each manifest in a stage; a hash is cut to 16 characters
-- Reads       ops.staged_file
-- Run again   same result until they are registered

WITH found AS MATERIALIZED (
    SELECT *
      FROM unnest(%(paths)s::text[], %(retailers)s::text[], %(store_ids)s::text[], %(run_keys)s::text[], %(hashes)s::text[])
           AS found (path, retailer, store_id, run_key, hash)
)
SELECT found.path
  FROM found
  LEFT JOIN ops.staged_file AS known
         ON known.retailer = found.retailer AND known.store_id = found.store_id AND known.run_key = found.run_key
        AND left(known.content_hash, 16) = found.hash
 WHERE known.file_id IS NULL
 ORDER BY found.path COLLATE "C"

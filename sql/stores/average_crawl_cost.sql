-- Average the requests of a retailer's last fifty complete crawls of a store.
--
-- Called by   include/crawling/crawl_plan.py
-- Parameters  retailer text
-- Reads       ops.crawl_outcome; attempts that resumed from landed pages (fewer requests than pages) do not count
-- Run again   same result while no store is crawled

SELECT avg(requests)::float AS requests, nullif(avg(extract(epoch FROM finished_at - started_at)), 0)::float AS seconds
  FROM (SELECT requests, started_at, finished_at
          FROM ops.crawl_outcome
         WHERE retailer = %(retailer)s AND is_complete AND requests >= pages
         ORDER BY finished_at DESC
         LIMIT 50) AS last

-- Let a site rest: nobody gets a turn before this instant (Retry-After).
--
-- Called by   include/crawling/shared_limiter.py
-- Parameters  retailer text; not_before timestamptz: the machine's clock
-- Reads       ops.crawl_turn
-- Writes      ops.crawl_turn   the retailer's row
-- Run again   nothing written

INSERT INTO ops.crawl_turn AS last (retailer, ticket, turn_at)
VALUES (%(retailer)s, 'retry-after', %(not_before)s)
    ON CONFLICT (retailer) DO UPDATE
   SET turn_at = excluded.turn_at, ticket = excluded.ticket
 WHERE last.turn_at < excluded.turn_at

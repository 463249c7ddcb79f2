-- Hand out the next turn at a site: at once, or a pause after the last one handed out.
--
-- Called by   include/crawling/shared_limiter.py
-- Parameters  retailer, ticket text: of this request; now timestamptz: the machine's clock; gap_seconds float: least pause before this request
-- Reads       ops.crawl_turn
-- Writes      ops.crawl_turn   the retailer's row
-- Run again   same rows: one ticket, one turn

INSERT INTO ops.crawl_turn AS last (retailer, ticket, turn_at)
VALUES (%(retailer)s, %(ticket)s, %(now)s)
    ON CONFLICT (retailer) DO UPDATE
   SET turn_at = CASE WHEN last.ticket = excluded.ticket THEN last.turn_at
                      ELSE greatest(last.turn_at + make_interval(secs => %(gap_seconds)s), excluded.turn_at) END,
       ticket = excluded.ticket
RETURNING turn_at

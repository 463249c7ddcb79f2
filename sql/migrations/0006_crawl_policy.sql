-- What crawling processes share over all workers: whose turn it is, whether a site is left alone, what its robots.txt says.
--
-- Called by   include/warehouse/migrations.py, revision 0006, in one transaction
-- Run again   never: Alembic's version table remembers; forward only

CREATE TABLE ops.request_limit (
    retailer text PRIMARY KEY REFERENCES core.retailer,
    request_id   text NOT NULL,
    next_request_at  timestamptz NOT NULL
);
COMMENT ON TABLE ops.request_limit IS 'The turn handed out last at each site, so that the pause between requests is kept over all workers. One row per retailer.';
COMMENT ON COLUMN ops.request_limit.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.request_limit.request_id IS 'Names the request that got the turn; asking twice with one request_id gives one turn.';
COMMENT ON COLUMN ops.request_limit.next_request_at IS 'When that request may be made, by the machine''s clock: politeness is real time whatever night is played. May lie ahead after a Retry-After.';

CREATE TABLE ops.crawl_breaker (
    retailer    text NOT NULL REFERENCES core.retailer,
    scope       text NOT NULL,
    state       text NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
    failures    integer NOT NULL,
    kind        text CHECK (kind IN ('refused', 'site_unavailable')),
    reason      text,
    probe_store text,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (retailer, scope)
);
COMMENT ON TABLE ops.crawl_breaker IS 'Whether a run still asks a site: open after AISLEFLOW_BREAKER_STORES stores in a row gave out or were refused. One row per retailer and round of a run.';
COMMENT ON COLUMN ops.crawl_breaker.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.crawl_breaker.scope IS 'The run''s key, with an addition for the stores crawled after a person was asked.';
COMMENT ON COLUMN ops.crawl_breaker.state IS 'closed (stores are asked for), open (none is), half_open (one store tries whether the site is back).';
COMMENT ON COLUMN ops.crawl_breaker.failures IS 'Stores in a row that gave out or were refused.';
COMMENT ON COLUMN ops.crawl_breaker.kind IS 'What the last of them met: refused (a bot wall, a person is needed) or site_unavailable (no proper answers).';
COMMENT ON COLUMN ops.crawl_breaker.reason IS 'In words, with the address.';
COMMENT ON COLUMN ops.crawl_breaker.probe_store IS 'The store that tries, while half open.';
COMMENT ON COLUMN ops.crawl_breaker.changed_at IS 'When the state changed or the probe began, by the machine''s clock.';

CREATE TABLE ops.robots_txt (
    retailer   text NOT NULL REFERENCES core.retailer,
    scope      text NOT NULL,
    address    text NOT NULL,
    status     integer NOT NULL,
    body       text NOT NULL,
    fetched_at timestamptz NOT NULL,
    PRIMARY KEY (retailer, scope)
);
COMMENT ON TABLE ops.robots_txt IS 'What a site''s robots.txt said, asked for once a run. One row per retailer and run.';
COMMENT ON COLUMN ops.robots_txt.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.robots_txt.scope IS 'The run''s key.';
COMMENT ON COLUMN ops.robots_txt.address IS 'Where it was asked for.';
COMMENT ON COLUMN ops.robots_txt.status IS 'Status of the answer; 4xx other than 401, 403 and 429 means that everything is allowed.';
COMMENT ON COLUMN ops.robots_txt.body IS 'The rules as they came, at most 500 kB.';
COMMENT ON COLUMN ops.robots_txt.fetched_at IS 'When.';

COMMENT ON COLUMN ops.crawl_outcome.detail IS 'Categories, skipped rows by reason, and by kind how often unit prices contradict one another.';

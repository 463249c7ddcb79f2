-- The crawl: what discovery knows of a store, the plan of a night, what each crawl gave, the queue of barcode look-ups.
--
-- Called by   include/warehouse/migrations.py, revision 0002, in one transaction
-- Run again   never: Alembic's version table remembers; forward only

ALTER TABLE core.store
    ADD COLUMN suburb        text,
    ADD COLUMN postcode      text CHECK (postcode ~ '^[0-9]{4}$'),
    ADD COLUMN latitude      double precision,
    ADD COLUMN longitude     double precision,
    ADD COLUMN division      text,
    ADD COLUMN is_supermarket boolean,
    ADD COLUMN is_trading    boolean,
    ADD COLUMN discovered_at timestamptz;
COMMENT ON COLUMN core.store.suburb IS 'As the store finder writes it.';
COMMENT ON COLUMN core.store.postcode IS 'Four digits, lost leading zero restored.';
COMMENT ON COLUMN core.store.latitude IS 'Degrees north (negative in Australia).';
COMMENT ON COLUMN core.store.longitude IS 'Degrees east.';
COMMENT ON COLUMN core.store.division IS 'The chain''s own word for the kind of shop (SUPERMARKETS, LQR …).';
COMMENT ON COLUMN core.store.is_supermarket IS 'False for petrol stations, liquor shops and shops without an online range; null until discovered.';
COMMENT ON COLUMN core.store.is_trading IS 'As the store finder says; null until discovered.';
COMMENT ON COLUMN core.store.discovered_at IS 'When store discovery last saw it.';

CREATE TABLE ops.crawl_request (
    retailer     text NOT NULL REFERENCES core.retailer,
    store_id     text NOT NULL,
    reason       text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    PRIMARY KEY (retailer, store_id)
);
COMMENT ON TABLE ops.crawl_request IS 'Stores that somebody wants crawled before all others. One row per store; removed when a crawl of it is complete.';
COMMENT ON COLUMN ops.crawl_request.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.crawl_request.store_id IS 'The store.';
COMMENT ON COLUMN ops.crawl_request.reason IS 'Why, for a person.';
COMMENT ON COLUMN ops.crawl_request.requested_by IS 'A person''s name or the flow that asks.';
COMMENT ON COLUMN ops.crawl_request.requested_at IS 'When.';

CREATE TABLE ops.crawl_plan (
    night      date NOT NULL,
    retailer   text NOT NULL REFERENCES core.retailer,
    store_id   text NOT NULL,
    position      integer NOT NULL,
    decision   text NOT NULL CHECK (decision IN ('crawl', 'deferred', 'excluded')),
    reason     text NOT NULL,
    planned_at timestamptz NOT NULL,
    PRIMARY KEY (night, retailer, store_id)
);
COMMENT ON TABLE ops.crawl_plan IS 'The plan of every night: which stores are crawled, deferred to the next night or left out, and why. One row per night and store.';
COMMENT ON COLUMN ops.crawl_plan.night IS 'Melbourne date of the crawl run.';
COMMENT ON COLUMN ops.crawl_plan.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.crawl_plan.store_id IS 'The store.';
COMMENT ON COLUMN ops.crawl_plan.position IS 'Place in the order of the night, from 1.';
COMMENT ON COLUMN ops.crawl_plan.decision IS 'crawl, deferred (the budget is spent) or excluded (never crawled: see reason).';
COMMENT ON COLUMN ops.crawl_plan.reason IS 'Why at this place, why deferred or why left out, for a person.';
COMMENT ON COLUMN ops.crawl_plan.planned_at IS 'When.';

CREATE TABLE ops.crawl_outcome (
    retailer          text NOT NULL REFERENCES core.retailer,
    store_id          text NOT NULL,
    night             date NOT NULL,
    run_key           text NOT NULL,
    state             text NOT NULL CHECK (state IN ('crawled', 'failed', 'blocked')),
    is_complete       boolean NOT NULL,
    reason            text,
    rows              integer NOT NULL,
    pages             integer NOT NULL,
    requests          integer NOT NULL,
    manifest          text,
    detail            jsonb NOT NULL,
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz NOT NULL,
    PRIMARY KEY (retailer, store_id, run_key)
);
CREATE INDEX crawl_outcome_night ON ops.crawl_outcome (night, retailer);
COMMENT ON TABLE ops.crawl_outcome IS 'What the last attempt at each store of each run gave. One row per run and store.';
COMMENT ON COLUMN ops.crawl_outcome.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.crawl_outcome.store_id IS 'The store.';
COMMENT ON COLUMN ops.crawl_outcome.night IS 'Melbourne date of the crawl run.';
COMMENT ON COLUMN ops.crawl_outcome.run_key IS 'Identifies the run.';
COMMENT ON COLUMN ops.crawl_outcome.state IS 'crawled (perhaps in part), failed, or blocked: the site refuses us and a person is needed.';
COMMENT ON COLUMN ops.crawl_outcome.is_complete IS 'Every expected category was finished.';
COMMENT ON COLUMN ops.crawl_outcome.reason IS 'Why it failed or is incomplete, for a person.';
COMMENT ON COLUMN ops.crawl_outcome.rows IS 'Offers staged.';
COMMENT ON COLUMN ops.crawl_outcome.pages IS 'Pages read.';
COMMENT ON COLUMN ops.crawl_outcome.requests IS 'Requests made by this attempt; pages landed before are not asked for again.';
COMMENT ON COLUMN ops.crawl_outcome.manifest IS 'Manifest of the staged file, below the storage root.';
COMMENT ON COLUMN ops.crawl_outcome.detail IS 'Categories and skipped rows by reason.';
COMMENT ON COLUMN ops.crawl_outcome.started_at IS 'When the attempt began.';
COMMENT ON COLUMN ops.crawl_outcome.finished_at IS 'When it ended.';

CREATE TABLE ops.barcode_lookup (
    retailer  text NOT NULL REFERENCES core.retailer,
    sku       text NOT NULL,
    state     text NOT NULL CHECK (state IN ('queued', 'found', 'not_found')),
    reason    text,
    queued_at timestamptz NOT NULL,
    looked_up_at timestamptz,
    PRIMARY KEY (retailer, sku)
);
COMMENT ON TABLE ops.barcode_lookup IS 'SKUs whose barcode has to be asked for one by one. One row per SKU.';
COMMENT ON COLUMN ops.barcode_lookup.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.barcode_lookup.sku IS 'The SKU.';
COMMENT ON COLUMN ops.barcode_lookup.state IS 'queued, found or not_found.';
COMMENT ON COLUMN ops.barcode_lookup.reason IS 'Why it was not found.';
COMMENT ON COLUMN ops.barcode_lookup.queued_at IS 'When a staged file first brought it without a barcode.';
COMMENT ON COLUMN ops.barcode_lookup.looked_up_at IS 'When it was last asked for.';

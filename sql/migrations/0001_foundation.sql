-- The warehouse: catalogue and prices (core), rows being ingested (staging), the record of every flow (ops).
--
-- Called by   include/warehouse/migrations.py, revision 0001, in one transaction
-- Run again   never: Alembic's version table prevents it; forward only
--
-- Text keys are COLLATE "C", so that their order is the same on every server.

CREATE SCHEMA core;
CREATE SCHEMA staging;
CREATE SCHEMA ops;
COMMENT ON SCHEMA core IS 'For readers: products, stores and the newest price of every SKU in every store.';
COMMENT ON SCHEMA staging IS 'Rows being ingested. Unlogged: can be rebuilt from the staged files.';
COMMENT ON SCHEMA ops IS 'The record of every flow: files, refused lines, checks and decisions.';

CREATE FUNCTION core.clock() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN coalesce(nullif(current_setting('aisleflow.now', true), '')::timestamptz, now());
COMMENT ON FUNCTION core.clock() IS 'The one clock for views: the session setting aisleflow.now if the connection set it, else the server''s time.';

CREATE FUNCTION core.zone_of(state text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE upper(trim(state)) WHEN 'NSW' THEN 'Australia/Sydney' WHEN 'ACT' THEN 'Australia/Sydney' WHEN 'QLD' THEN 'Australia/Brisbane' WHEN 'SA' THEN 'Australia/Adelaide'
                                   WHEN 'WA' THEN 'Australia/Perth' WHEN 'TAS' THEN 'Australia/Hobart' WHEN 'NT' THEN 'Australia/Darwin' ELSE 'Australia/Melbourne' END;
COMMENT ON FUNCTION core.zone_of(text) IS 'The time zone of a state, as include/clock.py has it; Melbourne''s for an unknown one.';

CREATE FUNCTION core.price_week_start(at timestamptz, state text) RETURNS timestamptz LANGUAGE sql STABLE
    RETURN (date_trunc('week', at AT TIME ZONE core.zone_of(state) - interval '2 days') + interval '2 days') AT TIME ZONE core.zone_of(state);
COMMENT ON FUNCTION core.price_week_start(timestamptz, text) IS 'When the price week of an instant began in a state: Wednesday 00:00 there.';

CREATE FUNCTION core.night_of(at timestamptz) RETURNS date LANGUAGE sql STABLE
    RETURN (at AT TIME ZONE 'Australia/Melbourne')::date;
COMMENT ON FUNCTION core.night_of(timestamptz) IS 'The night of an instant: its Melbourne date.';

-- migrations and the ledger ---------------------------------------------------------------------------------------------

CREATE TABLE ops.applied_migration (
    revision     text COLLATE "C" PRIMARY KEY,
    content_hash text NOT NULL,
    applied_at   timestamptz NOT NULL
);
COMMENT ON TABLE ops.applied_migration IS 'The migrations that ran. One row per revision.';
COMMENT ON COLUMN ops.applied_migration.revision IS 'Alembic''s revision.';
COMMENT ON COLUMN ops.applied_migration.content_hash IS 'SHA-256 of the file in sql/migrations when it ran; aisleflow doctor reports if the file was changed since.';
COMMENT ON COLUMN ops.applied_migration.applied_at IS 'When it ran.';

CREATE TABLE ops.staged_file (
    file_id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer              text COLLATE "C" NOT NULL,
    store_id              text COLLATE "C" NOT NULL,
    night                 date NOT NULL,
    run_key               text COLLATE "C" NOT NULL,
    content_hash          text COLLATE "C" NOT NULL,
    state                 text NOT NULL CHECK (state IN ('waiting', 'loaded', 'held', 'published', 'superseded', 'refused', 'discarded')),
    stage                 text NOT NULL,
    state_reason          text,
    rejection             jsonb,
    observed_at           timestamptz NOT NULL,
    last_observed_at      timestamptz NOT NULL,
    rows                  integer NOT NULL,
    goods                 integer,
    is_complete           boolean,
    completeness_reason   text,
    is_partial_on_request boolean NOT NULL DEFAULT false,
    manifest              jsonb NOT NULL,
    statistics            jsonb,
    movement              jsonb,
    check_version         text COLLATE "C",
    decided_by            text,
    decision_reason       text,
    decided_at            timestamptz,
    question_run_id       text,
    question_asked_at     timestamptz,
    quarantined           integer,
    folded                integer,
    unavailable           integer,
    created               integer,
    updated               integer,
    unchanged             integer,
    outdated              integer,
    delisted              integer,
    registered_at         timestamptz NOT NULL,
    loaded_at             timestamptz,
    checked_at            timestamptz,
    published_at          timestamptz,
    is_completeness_estimated boolean NOT NULL GENERATED ALWAYS AS (manifest ->> 'complete' IS NULL) STORED,
    is_past_store_day     boolean NOT NULL GENERATED ALWAYS AS (published_at IS NOT NULL AND state IN ('published', 'superseded')) STORED,
    UNIQUE (retailer, store_id, run_key, content_hash)
);
CREATE INDEX staged_file_night ON ops.staged_file (night, retailer);
CREATE INDEX staged_file_open ON ops.staged_file (retailer, state) WHERE state IN ('waiting', 'loaded', 'held');
CREATE INDEX staged_file_estimated ON ops.staged_file (retailer, observed_at) WHERE is_completeness_estimated;
CREATE INDEX staged_file_store ON ops.staged_file (retailer, store_id, observed_at);
COMMENT ON TABLE ops.staged_file IS 'The ledger: every staged file and its state. One row per (retailer, store, run key, content).';
COMMENT ON COLUMN ops.staged_file.file_id IS 'Order of registration: of two equal instants the later registration wins.';
COMMENT ON COLUMN ops.staged_file.retailer IS 'Retailer slug, or unknown for a refused file without one.';
COMMENT ON COLUMN ops.staged_file.store_id IS 'Store id, or unknown for a refused file without one.';
COMMENT ON COLUMN ops.staged_file.night IS 'Melbourne date of the crawl run; never changes.';
COMMENT ON COLUMN ops.staged_file.run_key IS 'Identifies DAG run and store: a re-run supersedes its own file and no other.';
COMMENT ON COLUMN ops.staged_file.content_hash IS 'SHA-256 of the uncompressed lines.';
COMMENT ON COLUMN ops.staged_file.state IS 'waiting, loaded, held, published, superseded, refused or discarded.';
COMMENT ON COLUMN ops.staged_file.stage IS 'Folder of the storage root that holds the file (or will, after a move).';
COMMENT ON COLUMN ops.staged_file.state_reason IS 'Why it is held, refused, superseded, discarded or rejected; human-readable.';
COMMENT ON COLUMN ops.staged_file.rejection IS 'Why a store-day that is not published yet waits: cause (database: it rejects lines; storage: the file cannot be reached), headline, lines, more_lines, next_step. Null: nothing, or it is being retried.';
COMMENT ON COLUMN ops.staged_file.observed_at IS 'The store-day''s instant: its earliest line.';
COMMENT ON COLUMN ops.staged_file.last_observed_at IS 'Its latest line.';
COMMENT ON COLUMN ops.staged_file.rows IS 'Lines in the file.';
COMMENT ON COLUMN ops.staged_file.goods IS 'Distinct SKUs accepted, without refused lines and duplicates: what completeness and the store-level rules compare. Null until loaded; before the check without what its rules refuse.';
COMMENT ON COLUMN ops.staged_file.is_complete IS 'Every expected category was finished; null until the check, for a file without a manifest.';
COMMENT ON COLUMN ops.staged_file.completeness_reason IS 'How completeness was determined; human-readable.';
COMMENT ON COLUMN ops.staged_file.is_partial_on_request IS 'The run requested only a part of the store: incomplete, and not used as a baseline of the store.';
COMMENT ON COLUMN ops.staged_file.manifest IS 'The staged manifest.';
COMMENT ON COLUMN ops.staged_file.statistics IS 'Lines per category (first level, and first two) and filled values per field, without duplicates, for the store-level rules of later nights.';
COMMENT ON COLUMN ops.staged_file.movement IS 'How its prices differ from the known ones, for rules about slow drifts: changed (prices changed inside the price week) and levels (category: prices compared, sum of the logarithms of their ratios).';
COMMENT ON COLUMN ops.staged_file.check_version IS 'Version of the rule catalogue that checked it.';
COMMENT ON COLUMN ops.staged_file.decided_by IS 'User who released or discarded it after it was held.';
COMMENT ON COLUMN ops.staged_file.decision_reason IS 'The reason given.';
COMMENT ON COLUMN ops.staged_file.decided_at IS 'When it was released, discarded or retracted.';
COMMENT ON COLUMN ops.staged_file.question_run_id IS 'Run of decide_held that claimed the question about this held store-day, so that it is asked once. Null: not claimed yet.';
COMMENT ON COLUMN ops.staged_file.question_asked_at IS 'When that run claimed the question.';
COMMENT ON COLUMN ops.staged_file.quarantined IS 'Lines refused.';
COMMENT ON COLUMN ops.staged_file.folded IS 'Identical duplicates folded into their first line.';
COMMENT ON COLUMN ops.staged_file.unavailable IS 'Accepted lines without a price: counted separately, the last price stays.';
COMMENT ON COLUMN ops.staged_file.created IS 'Price rows created.';
COMMENT ON COLUMN ops.staged_file.updated IS 'Price rows changed.';
COMMENT ON COLUMN ops.staged_file.unchanged IS 'Prices equal to the known ones.';
COMMENT ON COLUMN ops.staged_file.outdated IS 'Lines whose price row already had a newer observation.';
COMMENT ON COLUMN ops.staged_file.delisted IS 'Price rows this complete store-day no longer lists.';
COMMENT ON COLUMN ops.staged_file.registered_at IS 'When it was registered.';
COMMENT ON COLUMN ops.staged_file.loaded_at IS 'When it was last loaded into staging.offer.';
COMMENT ON COLUMN ops.staged_file.checked_at IS 'When it was last checked.';
COMMENT ON COLUMN ops.staged_file.published_at IS 'When it was published.';
COMMENT ON COLUMN ops.staged_file.is_completeness_estimated IS 'It came without a manifest: is_complete is estimated from its goods, and again when an older store-day arrives later.';
COMMENT ON COLUMN ops.staged_file.is_past_store_day IS 'Published and still valid: a baseline for later store-days. Never true of one that was replaced, held, refused, discarded or retracted.';

-- catalogue -------------------------------------------------------------------------------------------------------------

CREATE TABLE core.retailer (
    retailer text COLLATE "C" PRIMARY KEY,
    name     text NOT NULL
);
COMMENT ON TABLE core.retailer IS 'The supermarket chains (include/retailer_names.py). One row per retailer.';
COMMENT ON COLUMN core.retailer.retailer IS 'Lower-case slug used everywhere: coles, woolworths, aldi, iga.';
COMMENT ON COLUMN core.retailer.name IS 'Display name of the chain.';

CREATE TABLE core.store (
    store_key        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer         text COLLATE "C" NOT NULL REFERENCES core.retailer,
    store_id         text COLLATE "C" NOT NULL,
    online_store_id  text COLLATE "C",
    name             text,
    state            text COLLATE "C",
    suburb           text,
    postcode         text CHECK (postcode ~ '^[0-9]{4}$'),
    latitude         double precision,
    longitude        double precision,
    division         text,
    is_supermarket   boolean,
    is_trading       boolean,
    is_confirmed     boolean NOT NULL DEFAULT false,
    first_seen_at    timestamptz NOT NULL,
    discovered_at    timestamptz,
    absences         integer NOT NULL DEFAULT 0,
    absent_on        date,
    closed_at        timestamptz,
    complete_at      timestamptz,
    complete_file_id bigint REFERENCES ops.staged_file,
    UNIQUE (retailer, store_id)
);
COMMENT ON TABLE core.store IS 'A shop of a retailer. One row per (retailer, store_id).';
COMMENT ON COLUMN core.store.store_key IS 'Surrogate key used by core.price.';
COMMENT ON COLUMN core.store.retailer IS 'Retailer slug.';
COMMENT ON COLUMN core.store.store_id IS 'The retailer''s own id (COL:401, 1147, G102, 21981); unique only with the retailer.';
COMMENT ON COLUMN core.store.online_store_id IS 'Id of the web shop where it differs (IGA''s web shop, Coles'' REST form).';
COMMENT ON COLUMN core.store.name IS 'Newest known name. Never replaced by null.';
COMMENT ON COLUMN core.store.state IS 'Upper-case state (NSW …); decides the store''s time zone and price week.';
COMMENT ON COLUMN core.store.suburb IS 'As the store finder writes it.';
COMMENT ON COLUMN core.store.postcode IS 'Four digits, lost leading zero restored.';
COMMENT ON COLUMN core.store.latitude IS 'Degrees north (negative in Australia).';
COMMENT ON COLUMN core.store.longitude IS 'Degrees east.';
COMMENT ON COLUMN core.store.division IS 'The chain''s term for the kind of shop (SUPERMARKETS, LQR …).';
COMMENT ON COLUMN core.store.is_supermarket IS 'False for petrol stations, liquor shops and shops without an online range; null until discovered.';
COMMENT ON COLUMN core.store.is_trading IS 'According to the store finder; null until discovered.';
COMMENT ON COLUMN core.store.is_confirmed IS 'Found by store discovery or in an imported directory. False: known only from a staged file, prices are published and marked.';
COMMENT ON COLUMN core.store.first_seen_at IS 'When the store was first recorded.';
COMMENT ON COLUMN core.store.discovered_at IS 'When store discovery last found it, or the instant in its directory.';
COMMENT ON COLUMN core.store.absences IS 'Consecutive discoveries, on different days, that did not return this store.';
COMMENT ON COLUMN core.store.absent_on IS 'Melbourne date of the last discovery that counted it absent: a repeated one counts once.';
COMMENT ON COLUMN core.store.closed_at IS 'When it was marked as closed, after AISLEFLOW_STORE_ABSENCES_MAX consecutive absences. Its prices stay; it reopens when found again.';
COMMENT ON COLUMN core.store.complete_at IS 'The watermark: instant of the newest complete store-day published. Listed prices that use it were observed then.';
COMMENT ON COLUMN core.store.complete_file_id IS 'The staged file of that store-day; breaks ties of equal instants (the later registration wins).';

CREATE TABLE core.brand (
    brand_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    folded       text COLLATE "C" NOT NULL UNIQUE CHECK (folded <> ''),
    name         text NOT NULL,
    canonical_id integer REFERENCES core.brand CHECK (canonical_id <> brand_id)
);
COMMENT ON TABLE core.brand IS 'Brands found in offers. One row per folded spelling.';
COMMENT ON COLUMN core.brand.brand_id IS 'Surrogate key. Merge rule: never changes.';
COMMENT ON COLUMN core.brand.folded IS 'Spelling folded by include/wording/brand.py; never empty. Merge rule: never changes.';
COMMENT ON COLUMN core.brand.name IS 'First spelling found. Merge rule: never changes.';
COMMENT ON COLUMN core.brand.canonical_id IS 'The brand that this one is a variation of; null: itself. Of all brands that decisions in force join (ops.brand_pair) the one with the fewest words, then the shortest, then the first in the alphabet. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';

CREATE TABLE core.product (
    product_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL,
    brand_id      integer REFERENCES core.brand,
    size          text,
    size_quantity numeric,
    size_unit     text CHECK (size_unit IN ('g', 'ml', 'm', 'ea')),
    own_label_of  text COLLATE "C" REFERENCES core.retailer,
    image_url     text,
    created_at    timestamptz NOT NULL
);
COMMENT ON TABLE core.product IS 'An article that shoppers consider the same at every retailer. One row per product; never deleted, a merged one has no SKU left.';
COMMENT ON COLUMN core.product.product_id IS 'Surrogate key. Merge rule: never changes.';
COMMENT ON COLUMN core.product.name IS 'Name in the deciding text of its first SKU. Merge rule: follows the deciding texts.';
COMMENT ON COLUMN core.product.brand_id IS 'Brand of the first SKU that has one; never a variation, but the brand that it is one of. Merge rule: follows the deciding texts.';
COMMENT ON COLUMN core.product.size IS 'Size text of the first SKU that has one. Merge rule: follows the deciding texts.';
COMMENT ON COLUMN core.product.size_quantity IS 'Total of size in size_unit. Merge rule: follows the deciding texts.';
COMMENT ON COLUMN core.product.size_unit IS 'g, ml, m or ea (a count). Merge rule: follows the deciding texts.';
COMMENT ON COLUMN core.product.own_label_of IS 'Retailer whose private label this is: never the same product as another retailer''s. Merge rule: follows the deciding texts.';
COMMENT ON COLUMN core.product.image_url IS 'Picture of the first SKU that had one. Merge rule: filled when empty.';
COMMENT ON COLUMN core.product.created_at IS 'When the product was first published. Merge rule: never changes.';

CREATE TABLE core.product_barcode (
    gtin          text COLLATE "C" PRIMARY KEY CHECK (gtin ~ '^[0-9]{14}$'),
    product_id    bigint NOT NULL REFERENCES core.product,
    is_primary    boolean NOT NULL,
    first_seen_at timestamptz NOT NULL
);
CREATE INDEX product_barcode_product ON core.product_barcode (product_id);
CREATE UNIQUE INDEX product_barcode_one_primary ON core.product_barcode (product_id) WHERE is_primary;
COMMENT ON TABLE core.product_barcode IS 'Barcodes of products. One row per GTIN: a barcode belongs to one product, a product may have several.';
COMMENT ON COLUMN core.product_barcode.gtin IS 'GTIN-14, zero padded, check digit verified. Restricted and contested codes are never stored here. Merge rule: never changes.';
COMMENT ON COLUMN core.product_barcode.product_id IS 'The product it identifies. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';
COMMENT ON COLUMN core.product_barcode.is_primary IS 'Exactly one per product: the first seen. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';
COMMENT ON COLUMN core.product_barcode.first_seen_at IS 'Instant of the earliest line that shows it. Merge rule: earliest wins.';

CREATE TABLE core.sku (
    sku_key        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer       text COLLATE "C" NOT NULL REFERENCES core.retailer,
    sku            text COLLATE "C" NOT NULL,
    product_id     bigint NOT NULL REFERENCES core.product,
    home_product_id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED REFERENCES core.product,
    name           text NOT NULL,
    brand          text,
    size           text,
    category       text COLLATE "C",
    url            text,
    image_url      text,
    gtin           text COLLATE "C",
    texts_at       timestamptz NOT NULL,
    former_until_at timestamptz,
    joined_by      text NOT NULL,
    match_evidence jsonb NOT NULL DEFAULT '{}',
    joined_at      timestamptz NOT NULL,
    sku_changed_at timestamptz NOT NULL DEFAULT core.clock(),
    UNIQUE (retailer, sku)
);
CREATE INDEX sku_product ON core.sku (product_id);
CREATE INDEX sku_changed ON core.sku (sku_changed_at);
CREATE INDEX sku_words ON core.sku USING gin (to_tsvector('english', name || ' ' || coalesce(brand, '')));
COMMENT ON TABLE core.sku IS 'A retailer''s product numbers and the product of each. One row per (retailer, SKU). A merge of products is an update of product_id here.';
COMMENT ON COLUMN core.sku.sku_key IS 'Surrogate key used by core.price. Merge rule: never changes.';
COMMENT ON COLUMN core.sku.retailer IS 'Retailer slug. Merge rule: never changes.';
COMMENT ON COLUMN core.sku.sku IS 'The retailer''s product number, text, zero padding kept. Merge rule: never changes.';
COMMENT ON COLUMN core.sku.product_id IS 'The product this SKU is. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';
COMMENT ON COLUMN core.sku.home_product_id IS 'The product that was made for this SKU; null: none, it joined another''s. SKUs that are one product have the smallest home among them, so a merge that is undone gives each its product back. A number that is given to another good gets another home. Merge rule: never changes.';
COMMENT ON COLUMN core.sku.name IS 'Name the retailer gave it. Merge rule: newest wins, never replaced by null.';
COMMENT ON COLUMN core.sku.brand IS 'Brand the retailer gave it. Merge rule: newest wins, never replaced by null.';
COMMENT ON COLUMN core.sku.size IS 'Size text the retailer gave it. Merge rule: newest wins, never replaced by null.';
COMMENT ON COLUMN core.sku.category IS 'Category path, from the top, separated by '' > ''. Merge rule: newest wins, never replaced by null.';
COMMENT ON COLUMN core.sku.url IS 'Product page. Merge rule: newest wins, never replaced by null.';
COMMENT ON COLUMN core.sku.image_url IS 'Picture. Merge rule: newest wins, never replaced by null.';
COMMENT ON COLUMN core.sku.gtin IS 'First usable barcode of the line (GTIN-14), as given by the retailer; the barcodes that identify the product are in core.product_barcode, all that the retailer claims in core.sku_barcode. Merge rule: newest wins, never replaced by null.';
COMMENT ON COLUMN core.sku.texts_at IS 'Instant of the newest line that changed a text here (name to gtin); a line older than it, or than the last instant at which a store showed the SKU, only fills empty columns. Of equal instants the greatest text is kept. Merge rule: newest wins, never replaced by null.';
COMMENT ON COLUMN core.sku.former_until_at IS 'Lines up to this instant were about another good, to which the retailer had given the number before; they count no more. Null: never reused. Merge rule: latest wins.';
COMMENT ON COLUMN core.sku.joined_by IS 'What joined it to its product: barcode, key, score (the matcher''s), person, or new (it is the product''s first). Merge rule: moved by evidence (a learned barcode, a merge), never by text.';
COMMENT ON COLUMN core.sku.match_evidence IS 'The evidence: barcode, key and rule version, number of the decision (ops.match_decision). Merge rule: moved by evidence (a learned barcode, a merge), never by text.';
COMMENT ON COLUMN core.sku.joined_at IS 'When it was first joined by that evidence. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';

COMMENT ON COLUMN core.sku.sku_changed_at IS 'When its product, a barcode of it or a text here last changed; moved by triggers. Merge rule: latest wins. core.store_price.changed_at is the later of this and the price''s.';

CREATE TABLE core.sku_identity (
    sku_key       integer PRIMARY KEY REFERENCES core.sku DEFERRABLE INITIALLY DEFERRED,
    name          text NOT NULL,
    brand         text,
    size          text,
    observed_at   timestamptz NOT NULL,
    rule_version  integer NOT NULL,
    reading_hash  text COLLATE "C" NOT NULL,
    loose_key     text COLLATE "C" CHECK (loose_key <> ''),
    brand_id      integer REFERENCES core.brand,
    size_quantity numeric,
    size_unit     text CHECK (size_unit IN ('g', 'ml', 'm', 'ea')),
    own_label_of  text COLLATE "C" REFERENCES core.retailer,
    piece_count    integer CHECK (piece_count > 1),
    piece_count_at timestamptz,
    CHECK ((piece_count IS NULL) = (piece_count_at IS NULL))
);
CREATE INDEX sku_identity_loose_key ON core.sku_identity (loose_key);
COMMENT ON TABLE core.sku_identity IS 'The text of each SKU that decides its product, and what is read from it. One row per SKU. Later edits of the text do not change it.';
COMMENT ON COLUMN core.sku_identity.sku_key IS 'The SKU (core.sku).';
COMMENT ON COLUMN core.sku_identity.name IS 'Name in the deciding text: the line with the fewest of brand and size missing, of these the earliest.';
COMMENT ON COLUMN core.sku_identity.brand IS 'Brand in that line.';
COMMENT ON COLUMN core.sku_identity.size IS 'Size text in that line.';
COMMENT ON COLUMN core.sku_identity.observed_at IS 'Instant of the earliest line with that text. Of two SKUs the earlier one keeps what both claim.';
COMMENT ON COLUMN core.sku_identity.rule_version IS 'Version of the rules that read the text (include/wording/product_key.py); texts of another version are read again.';
COMMENT ON COLUMN core.sku_identity.reading_hash IS 'Hash of all that these rules read from the text. A SKU of which new rules read the same is not grouped again.';
COMMENT ON COLUMN core.sku_identity.loose_key IS 'The key without words that may distinguish two products: equal ones are proposed, never joined.';
COMMENT ON COLUMN core.sku_identity.brand_id IS 'The brand (core.brand).';
COMMENT ON COLUMN core.sku_identity.size_quantity IS 'Total of the size in size_unit; sizes that differ by more than 1 percent prevent every join.';
COMMENT ON COLUMN core.sku_identity.size_unit IS 'g, ml, m or ea (a count).';
COMMENT ON COLUMN core.sku_identity.own_label_of IS 'Retailer whose private label this is: joins no other retailer''s SKU.';
COMMENT ON COLUMN core.sku_identity.piece_count IS 'Pieces in a pack, worked out from price and price per piece of an ordinary line: no special, no multi-buy. Read where the size says "each", or nothing.';
COMMENT ON COLUMN core.sku_identity.piece_count_at IS 'Instant of that line, the earliest that fixes a count.';

CREATE TABLE core.sku_product_key (
    sku_key     integer NOT NULL REFERENCES core.sku_identity ON DELETE CASCADE,
    product_key text COLLATE "C" NOT NULL CHECK (product_key <> ''),
    position    smallint NOT NULL,
    PRIMARY KEY (sku_key, product_key)
);
CREATE INDEX sku_product_key_key ON core.sku_product_key (product_key);
COMMENT ON TABLE core.sku_product_key IS 'The product keys of each SKU''s deciding text, one for each way to read it; read once, by the rules of core.sku_identity.rule_version. One row per (SKU, key). None: no word identifies the product.';
COMMENT ON COLUMN core.sku_product_key.sku_key IS 'The SKU (core.sku_identity).';
COMMENT ON COLUMN core.sku_product_key.product_key IS 'Pure function of name, brand and size (include/wording/product_key.py): a key that two SKUs share joins them.';
COMMENT ON COLUMN core.sku_product_key.position IS '1 is the key of the likeliest reading.';

CREATE TABLE core.sku_barcode (
    sku_key         integer NOT NULL REFERENCES core.sku DEFERRABLE INITIALLY DEFERRED,
    gtin            text COLLATE "C" NOT NULL CHECK (gtin ~ '^[0-9]{14}$'),
    together        text COLLATE "C" NOT NULL,
    first_seen_at   timestamptz NOT NULL,
    source          text COLLATE "C" NOT NULL,
    file_id         bigint REFERENCES ops.staged_file,
    learned_at      timestamptz NOT NULL,
    refused_because text CHECK (refused_because IN ('own_label', 'size', 'other_barcode', 'two_products', 'product_barcode', 'many_goods', 'rejected', 'split', 'apart')),
    refused_at      timestamptz,
    claim_id        bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    question_run_id text,
    question_decision_id bigint,
    PRIMARY KEY (sku_key, gtin),
    CHECK ((refused_because IS NULL) = (refused_at IS NULL)),
    CHECK ((source = 'file') = (file_id IS NOT NULL))
);
CREATE INDEX sku_barcode_gtin ON core.sku_barcode (gtin);
COMMENT ON TABLE core.sku_barcode IS 'The barcodes that retailers give their SKUs, accepted or not. One row per (SKU, barcode).';
COMMENT ON COLUMN core.sku_barcode.sku_key IS 'The SKU (core.sku).';
COMMENT ON COLUMN core.sku_barcode.gtin IS 'The barcode (GTIN-14).';
COMMENT ON COLUMN core.sku_barcode.together IS 'The smallest barcode of those that lines of this SKU show beside one another: they stand or fall together.';
COMMENT ON COLUMN core.sku_barcode.first_seen_at IS 'Instant of the earliest line or look-up that shows it. Of two SKUs that contradict each other the earlier one keeps the barcode.';
COMMENT ON COLUMN core.sku_barcode.source IS 'Where that earliest evidence is: file, or the source of a look-up (coles_details, coles_product, woolworths_schemaorg).';
COMMENT ON COLUMN core.sku_barcode.file_id IS 'The staged file that shows it; null: it was looked up.';
COMMENT ON COLUMN core.sku_barcode.learned_at IS 'When this warehouse first recorded it.';
COMMENT ON COLUMN core.sku_barcode.refused_because IS 'Null: accepted, it identifies the SKU''s product. own_label, size: its product and the barcode''s contradict each other; other_barcode: the SKU already has another barcode; two_products: a barcode beside it in the line belongs to another product; product_barcode: the product that its text had joined already has another one; many_goods: the retailer gives it to many different goods; rejected: a person decided that it is wrong; split: a person decided that the SKU, or the one that has the barcode, is a product of its own; apart: a person decided that it and one that has the barcode are different products.';
COMMENT ON COLUMN core.sku_barcode.refused_at IS 'When it was first refused for that reason; null: accepted.';
COMMENT ON COLUMN core.sku_barcode.claim_id IS 'Number of the claim, and of its conflict (ops.barcode_conflict).';
COMMENT ON COLUMN core.sku_barcode.question_run_id IS 'Run of decide_conflicts that claimed the question about this conflict, so that it is asked once. Null: not asked, or its decision was undone since.';
COMMENT ON COLUMN core.sku_barcode.question_decision_id IS 'The decision (ops.barcode_decision) that was opened again when that run asked: another one is another question. Null: none.';

-- Whoever writes what readers see of a SKU moves its sku_changed_at: the cursor of incremental readers must not depend on each statement's care.

CREATE FUNCTION core.move_sku() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.sku_changed_at := core.clock();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION core.move_sku() IS 'Moves sku_changed_at of a SKU whose visible values changed.';
CREATE TRIGGER move_sku BEFORE UPDATE ON core.sku FOR EACH ROW
    WHEN ((OLD.product_id, OLD.name, OLD.brand, OLD.size, OLD.gtin) IS DISTINCT FROM (NEW.product_id, NEW.name, NEW.brand, NEW.size, NEW.gtin))
    EXECUTE FUNCTION core.move_sku();

CREATE FUNCTION core.move_skus_of_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE core.sku SET sku_changed_at = core.clock() WHERE sku_changed_at < core.clock() AND product_id IN (SELECT product_id FROM after WHERE is_primary);
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE core.sku SET sku_changed_at = core.clock() WHERE sku_changed_at < core.clock() AND product_id IN (SELECT product_id FROM before WHERE is_primary);
    ELSE
        UPDATE core.sku SET sku_changed_at = core.clock()
         WHERE sku_changed_at < core.clock()
           AND product_id IN (SELECT product_id FROM ((SELECT product_id, gtin FROM before WHERE is_primary EXCEPT SELECT product_id, gtin FROM after WHERE is_primary)
                                                      UNION ALL
                                                      (SELECT product_id, gtin FROM after WHERE is_primary EXCEPT SELECT product_id, gtin FROM before WHERE is_primary)) AS other);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION core.move_skus_of_products() IS 'Moves sku_changed_at of the SKUs of products whose primary barcode changed.';
CREATE TRIGGER barcode_added AFTER INSERT ON core.product_barcode REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION core.move_skus_of_products();
CREATE TRIGGER barcode_changed AFTER UPDATE ON core.product_barcode REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION core.move_skus_of_products();
CREATE TRIGGER barcode_removed AFTER DELETE ON core.product_barcode REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION core.move_skus_of_products();

CREATE FUNCTION core.move_contested_skus() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE core.sku SET sku_changed_at = core.clock() WHERE sku_changed_at < core.clock() AND sku_key IN (SELECT sku_key FROM after WHERE refused_because IS NOT NULL);
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE core.sku SET sku_changed_at = core.clock() WHERE sku_changed_at < core.clock() AND sku_key IN (SELECT sku_key FROM before WHERE refused_because IS NOT NULL);
    ELSE
        UPDATE core.sku SET sku_changed_at = core.clock()
         WHERE sku_changed_at < core.clock()
           AND sku_key IN (SELECT after.sku_key FROM before JOIN after USING (sku_key, gtin) WHERE (before.refused_because IS NULL) <> (after.refused_because IS NULL));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION core.move_contested_skus() IS 'Moves sku_changed_at of the SKUs of which a claimed barcode became, or stopped being, contested.';
CREATE TRIGGER claim_added AFTER INSERT ON core.sku_barcode REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION core.move_contested_skus();
CREATE TRIGGER claim_changed AFTER UPDATE ON core.sku_barcode REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION core.move_contested_skus();
CREATE TRIGGER claim_removed AFTER DELETE ON core.sku_barcode REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION core.move_contested_skus();

CREATE VIEW core.product_alias AS
SELECT DISTINCT alias.product_key, sku.product_id, identity.rule_version
  FROM core.sku_product_key AS alias
  JOIN core.sku_identity AS identity USING (sku_key)
  JOIN core.sku AS sku USING (sku_key);
COMMENT ON VIEW core.product_alias IS 'Product keys that lead to a product, several a product; they follow the SKUs, so a merge moves them and its undo brings them back. One row per (key, product): a key of several products joins nothing to any of them.';
COMMENT ON COLUMN core.product_alias.product_key IS 'Pure function of name, brand and size (include/wording/product_key.py).';
COMMENT ON COLUMN core.product_alias.product_id IS 'The product it leads to.';
COMMENT ON COLUMN core.product_alias.rule_version IS 'Version of the rule that made the key.';

CREATE VIEW core.brand_alias AS
SELECT least(mine.brand_id, other.brand_id) AS brand_id, greatest(mine.brand_id, other.brand_id) AS alias_id, count(DISTINCT sku.product_id)::integer AS products,
       min(greatest(one.learned_at, two.learned_at)) AS learned_at, (array_agg(DISTINCT one.gtin ORDER BY one.gtin))[1:5] AS gtins
  FROM core.sku_barcode AS one
  JOIN core.sku_barcode AS two ON two.gtin = one.gtin AND two.sku_key > one.sku_key
  JOIN core.sku_identity AS mine ON mine.sku_key = one.sku_key
  JOIN core.sku_identity AS other ON other.sku_key = two.sku_key
  JOIN core.sku AS sku ON sku.sku_key = one.sku_key
 WHERE one.refused_because IS NULL AND two.refused_because IS NULL AND mine.brand_id <> other.brand_id
 GROUP BY 1, 2;
COMMENT ON VIEW core.brand_alias IS 'Brands under which retailers list the same barcode, such as a licence holder''s and the printed one. Follows the accepted barcodes: what was learnt from a wrong one goes with it. One row per pair.';
COMMENT ON COLUMN core.brand_alias.brand_id IS 'The brand (core.brand) found first.';
COMMENT ON COLUMN core.brand_alias.alias_id IS 'The other brand.';
COMMENT ON COLUMN core.brand_alias.products IS 'Products whose barcodes show it.';
COMMENT ON COLUMN core.brand_alias.learned_at IS 'When the first barcode showed it to this warehouse.';
COMMENT ON COLUMN core.brand_alias.gtins IS 'The first five of the barcodes (GTIN-14).';

-- prices ----------------------------------------------------------------------------------------------------------------

CREATE TABLE core.price (
    store_key            integer NOT NULL REFERENCES core.store,
    sku_key              integer NOT NULL REFERENCES core.sku,
    price_cents          integer NOT NULL CHECK (price_cents > 0 AND price_cents <= 2000000),
    was_price_cents      integer CHECK (was_price_cents > 0),
    unit_price           numeric(12, 4),
    unit_of_measure      text CHECK (unit_of_measure IN ('kg', 'L', 'm', 'each')),
    is_on_special        boolean NOT NULL,
    price_basis          text NOT NULL CHECK (price_basis IN ('each', 'kg', 'L', 'm')),
    multi_buy_quantity   integer CHECK (multi_buy_quantity > 1),
    multi_buy_cents      integer CHECK (multi_buy_cents > 0),
    is_available         boolean NOT NULL,
    is_listed            boolean NOT NULL,
    uses_store_watermark boolean NOT NULL,
    delisted_at          timestamptz,
    retracted_at         timestamptz,
    observed_at          timestamptz NOT NULL,
    changed_at           timestamptz NOT NULL,
    file_id              bigint NOT NULL REFERENCES ops.staged_file,
    price_file_id        bigint NOT NULL REFERENCES ops.staged_file,
    PRIMARY KEY (store_key, sku_key),
    CHECK (is_listed = (delisted_at IS NULL)),
    CHECK ((multi_buy_quantity IS NULL) = (multi_buy_cents IS NULL))
);
CREATE INDEX price_changed ON core.price (changed_at);
CREATE INDEX price_sku ON core.price (sku_key);
COMMENT ON TABLE core.price IS 'The newest known price of one SKU in one store. An unchanged night writes no row here.';
COMMENT ON COLUMN core.price.store_key IS 'The store.';
COMMENT ON COLUMN core.price.sku_key IS 'The SKU.';
COMMENT ON COLUMN core.price.price_cents IS 'Shelf price in cents, tax included; the last known one while unavailable.';
COMMENT ON COLUMN core.price.was_price_cents IS 'Price before the special, in cents; null without one.';
COMMENT ON COLUMN core.price.unit_price IS 'Dollars per unit_of_measure, recomputed from the retailer''s unit price text.';
COMMENT ON COLUMN core.price.unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN core.price.is_on_special IS 'On special when last seen.';
COMMENT ON COLUMN core.price.price_basis IS 'What one pays the price for: each (an item; of a weighed product an average piece), kg, L or m. Prices of different basis are comparable by unit_price only.';
COMMENT ON COLUMN core.price.multi_buy_quantity IS 'Items of a multi-buy offer, at least 2; null without one.';
COMMENT ON COLUMN core.price.multi_buy_cents IS 'Price of multi_buy_quantity items together, in cents; null without such an offer.';
COMMENT ON COLUMN core.price.is_available IS 'False: listed without a price when last seen; price_cents is the last known one.';
COMMENT ON COLUMN core.price.is_listed IS 'In the store''s newest complete store-day, or seen since.';
COMMENT ON COLUMN core.price.uses_store_watermark IS 'True: observed at the later of observed_at and the store''s complete_at. False: at observed_at only (refused since, or delisted).';
COMMENT ON COLUMN core.price.delisted_at IS 'Instant of the complete store-day that no longer listed it.';
COMMENT ON COLUMN core.price.retracted_at IS 'When the only known price of this row was retracted: the row stays, delisted, so that incremental readers get the change; its price is not valid. Null again with the next observed price.';
COMMENT ON COLUMN core.price.observed_at IS 'Instant of the newest line written to this row. Read core.store_price.observed_at for the effective one.';
COMMENT ON COLUMN core.price.changed_at IS 'When a value last changed here (publishing time): a cursor for incremental readers.';
COMMENT ON COLUMN core.price.file_id IS 'The staged file of the observation at observed_at (ops.staged_file).';
COMMENT ON COLUMN core.price.price_file_id IS 'The staged file that gave the price; an older one than file_id where the product was unavailable since.';

CREATE TABLE core.price_change (
    store_key       integer NOT NULL,
    sku_key         integer NOT NULL,
    changed_at      timestamptz NOT NULL,
    file_id         bigint NOT NULL,
    change_kind     text NOT NULL CHECK (change_kind IN ('created', 'changed', 'unavailable', 'relisted', 'delisted')),
    old_price_cents integer,
    new_price_cents integer,
    observed_at     timestamptz NOT NULL,
    PRIMARY KEY (store_key, sku_key, changed_at, file_id)
) PARTITION BY RANGE (changed_at);
COMMENT ON TABLE core.price_change IS 'Every change of a price, while AISLEFLOW_CHANGE_LOG is on; empty otherwise. One row per price and file that changed it. One partition per month (UTC), created when needed; drop old ones when they are no longer needed.';
COMMENT ON COLUMN core.price_change.store_key IS 'The store (core.store).';
COMMENT ON COLUMN core.price_change.sku_key IS 'The SKU (core.sku).';
COMMENT ON COLUMN core.price_change.changed_at IS 'When it was published, as in core.price.changed_at; decides the partition.';
COMMENT ON COLUMN core.price_change.file_id IS 'The staged file with the change (ops.staged_file).';
COMMENT ON COLUMN core.price_change.change_kind IS 'created; changed (another price); unavailable (listed without a price); relisted (listed, or with a price, again); delisted.';
COMMENT ON COLUMN core.price_change.old_price_cents IS 'The price before, in cents; null when created. Of a relisted one: the last known before.';
COMMENT ON COLUMN core.price_change.new_price_cents IS 'The price since, in cents; null when unavailable or delisted.';
COMMENT ON COLUMN core.price_change.observed_at IS 'When it was observed in the store.';

CREATE FUNCTION core.ensure_price_change_month(at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz := date_trunc('month', at, 'UTC');
    part  text := 'price_change_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass('core.' || part) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('aisleflow:price_change', 0));
        -- from pg_class: to_regclass may return the state from before the lock
        IF NOT EXISTS (SELECT FROM pg_class WHERE relname = part AND relnamespace = 'core'::regnamespace) THEN
            -- attached: creating it as a partition would wait for all writers of the log
            EXECUTE format('CREATE TABLE core.%I (LIKE core.price_change INCLUDING ALL)', part);
            EXECUTE format('ALTER TABLE core.price_change ATTACH PARTITION core.%I FOR VALUES FROM (%L) TO (%L)',
                           part, first, date_add(first, '1 month', 'UTC'));
            EXECUTE format('COMMENT ON TABLE core.%I IS %L', part, 'Changes of prices published in ' || to_char(first AT TIME ZONE 'UTC', 'YYYY-MM') || ' (UTC).');
        END IF;
    END IF;
    RETURN part;
END
$$;
COMMENT ON FUNCTION core.ensure_price_change_month(timestamptz) IS 'Creates the partition of core.price_change for the month (UTC) of an instant unless it exists, under a lock; returns its name.';

-- store groups ----------------------------------------------------------------------------------------------------------

CREATE TABLE core.store_group (
    group_id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer          text COLLATE "C" NOT NULL REFERENCES core.retailer,
    founder_store_key integer NOT NULL REFERENCES core.store,
    created_at        timestamptz NOT NULL
);
COMMENT ON TABLE core.store_group IS 'Groups of stores of one retailer that charge the same prices (docs/grouping.md). One row per group; never deleted, a merged one has no stores left.';
COMMENT ON COLUMN core.store_group.group_id IS 'Surrogate key.';
COMMENT ON COLUMN core.store_group.retailer IS 'Retailer slug.';
COMMENT ON COLUMN core.store_group.founder_store_key IS 'The store that the group began with (core.store); its anchor until another one is appointed.';
COMMENT ON COLUMN core.store_group.created_at IS 'When.';

CREATE TABLE core.store_group_member (
    membership_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_key        integer NOT NULL REFERENCES core.store,
    group_id         integer NOT NULL REFERENCES core.store_group,
    is_anchor        boolean NOT NULL,
    is_pinned        boolean NOT NULL DEFAULT false,
    cause            text NOT NULL CHECK (cause IN ('new', 'merged', 'ejected', 'closed', 'appointed', 'split', 'pinned', 'unpinned', 'reset')),
    reason           text NOT NULL,
    changed_by       text NOT NULL,
    since_at         timestamptz NOT NULL,
    until_at         timestamptz,
    verified_at      timestamptz,
    verified_file_id bigint REFERENCES ops.staged_file,
    flagged_at       timestamptz,
    seen_file_id     bigint REFERENCES ops.staged_file
);
CREATE UNIQUE INDEX store_group_member_one_group ON core.store_group_member (store_key) WHERE until_at IS NULL;
CREATE UNIQUE INDEX store_group_member_one_anchor ON core.store_group_member (group_id) WHERE until_at IS NULL AND is_anchor;
CREATE INDEX store_group_member_history ON core.store_group_member (store_key, since_at);
COMMENT ON TABLE core.store_group_member IS 'The stores of each group, with their history. One row per store and change of its place; the present one has no until_at. A confirmed store is in exactly one group, alone at first.';
COMMENT ON COLUMN core.store_group_member.membership_id IS 'Order of the changes.';
COMMENT ON COLUMN core.store_group_member.store_key IS 'The store (core.store).';
COMMENT ON COLUMN core.store_group_member.group_id IS 'The group (core.store_group).';
COMMENT ON COLUMN core.store_group_member.is_anchor IS 'True: the store that is compared for the whole group. Exactly one per group.';
COMMENT ON COLUMN core.store_group_member.is_pinned IS 'True: an operator fixed the store; maintenance merges its group with no other.';
COMMENT ON COLUMN core.store_group_member.cause IS 'new (every store begins alone), merged (its group joined this one), ejected (its prices no longer match), closed (it does not trade), appointed (anchor in place of one that left), split, pinned, unpinned, reset (an operator''s).';
COMMENT ON COLUMN core.store_group_member.reason IS 'Why, with the figures of the comparison or the operator''s words; human-readable.';
COMMENT ON COLUMN core.store_group_member.changed_by IS 'maintain_store_groups, or the user.';
COMMENT ON COLUMN core.store_group_member.since_at IS 'Since when.';
COMMENT ON COLUMN core.store_group_member.until_at IS 'Until when; null: now.';
COMMENT ON COLUMN core.store_group_member.verified_at IS 'Instant of its last complete store-day whose prices matched the anchor''s; null: none in this group.';
COMMENT ON COLUMN core.store_group_member.verified_file_id IS 'That store-day (ops.staged_file); each is compared once.';
COMMENT ON COLUMN core.store_group_member.flagged_at IS 'When another member of the group was ejected: the store is to be verified. Null: nothing to verify.';
COMMENT ON COLUMN core.store_group_member.seen_file_id IS 'The newest complete store-day that maintenance has looked at; differs from core.store.complete_file_id while one is waiting.';

CREATE VIEW core.group_anchor AS
SELECT member.store_key, leader.store_key AS anchor_store_key, member.verified_at IS NOT NULL AND member.flagged_at IS NULL AS is_verified
  FROM core.store_group_member AS member
  JOIN core.store_group_member AS leader ON leader.group_id = member.group_id AND leader.until_at IS NULL AND leader.is_anchor
 WHERE member.until_at IS NULL AND NOT member.is_anchor;
COMMENT ON VIEW core.group_anchor IS 'The members of groups with the anchor whose prices are inferred for them. One row per member; anchors and ungrouped stores have none.';
COMMENT ON COLUMN core.group_anchor.store_key IS 'The member (core.store).';
COMMENT ON COLUMN core.group_anchor.anchor_store_key IS 'The anchor of its group.';
COMMENT ON COLUMN core.group_anchor.is_verified IS 'Its own prices matched the anchor''s, and nothing has cast doubt on that since.';

CREATE TABLE core.inference_change (
    store_key  integer NOT NULL REFERENCES core.store,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (store_key, changed_at)
);
CREATE INDEX inference_change_at ON core.inference_change (changed_at);
COMMENT ON TABLE core.inference_change IS 'When readers may see other rows of a store although none of its prices changed: it joins or leaves a group, its anchor or its verification changes, or its own observations become newer or older than the anchor''s. Written by triggers; of each store only the newest row matters. Rows are added, never updated, so that publications do not wait for each other.';
COMMENT ON COLUMN core.inference_change.store_key IS 'The store (core.store).';
COMMENT ON COLUMN core.inference_change.changed_at IS 'When. core.store_price.changed_at of the store''s rows is not earlier.';

CREATE TABLE core.inference_end (
    store_key integer NOT NULL REFERENCES core.store,
    sku_key   integer NOT NULL REFERENCES core.sku,
    ended_at  timestamptz NOT NULL,
    PRIMARY KEY (store_key, sku_key)
);
CREATE INDEX inference_end_at ON core.inference_end (ended_at);
COMMENT ON TABLE core.inference_end IS 'SKUs that readers saw inferred for a store which has no price of its own of them, when it left the anchor: their rows stay, marked. One row per store and SKU; without effect while the present anchor lists the SKU, or once the store does.';
COMMENT ON COLUMN core.inference_end.store_key IS 'The store (core.store).';
COMMENT ON COLUMN core.inference_end.sku_key IS 'The SKU (core.sku).';
COMMENT ON COLUMN core.inference_end.ended_at IS 'When it was last inferred.';

-- The cursor of incremental readers must not depend on each statement's care, so triggers note what changes for the members of a group.

CREATE FUNCTION core.note_group_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO core.inference_change (store_key, changed_at)
        SELECT store_key, core.clock() FROM after WHERE NOT is_anchor
         UNION
        SELECT member.store_key, core.clock()
          FROM after
          JOIN core.store_group_member AS member ON member.group_id = after.group_id AND member.until_at IS NULL AND NOT member.is_anchor
         WHERE after.is_anchor
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;
    WITH left_place AS (
        SELECT after.store_key, after.group_id, after.until_at, after.is_anchor FROM after JOIN before USING (membership_id) WHERE before.until_at IS NULL AND after.until_at IS NOT NULL
    ), ended AS MATERIALIZED (
        SELECT member.store_key, leader.store_key AS anchor_store_key
          FROM left_place AS member
          JOIN core.store_group_member AS leader ON leader.group_id = member.group_id AND leader.is_anchor AND (leader.until_at IS NULL OR leader.until_at = member.until_at)
         WHERE NOT member.is_anchor
         UNION
        SELECT member.store_key, leader.store_key
          FROM left_place AS leader
          JOIN core.store_group_member AS member ON member.group_id = leader.group_id AND member.until_at IS NULL AND NOT member.is_anchor
         WHERE leader.is_anchor
    ), changed AS (
        INSERT INTO core.inference_change (store_key, changed_at)
        SELECT store_key, core.clock() FROM ended
         UNION
        SELECT after.store_key, core.clock()
          FROM after
          JOIN before USING (membership_id)
         WHERE NOT after.is_anchor AND (before.flagged_at IS NULL, before.verified_at IS NULL) <> (after.flagged_at IS NULL, after.verified_at IS NULL)
            ON CONFLICT DO NOTHING
    )
    INSERT INTO core.inference_end AS known (store_key, sku_key, ended_at)
    SELECT DISTINCT ended.store_key, price.sku_key, core.clock()
      FROM core.price AS price
      JOIN ended ON ended.anchor_store_key = price.store_key
     WHERE price.store_key = ANY (ARRAY(SELECT anchor_store_key FROM ended))
       AND (SELECT true FROM core.price AS own WHERE own.store_key = ended.store_key AND own.sku_key = price.sku_key) IS NULL
        ON CONFLICT (store_key, sku_key) DO UPDATE
       SET ended_at = excluded.ended_at;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION core.note_group_change() IS 'Records for which stores the prices that readers see changed with their group (core.inference_change), and what is inferred no longer (core.inference_end).';
CREATE TRIGGER place_added AFTER INSERT ON core.store_group_member REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION core.note_group_change();
CREATE TRIGGER place_changed AFTER UPDATE ON core.store_group_member REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION core.note_group_change();

CREATE FUNCTION core.note_store_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core.inference_change (store_key, changed_at)
    SELECT grouped.store_key, core.clock() FROM core.group_anchor AS grouped WHERE grouped.store_key = NEW.store_key
     UNION
    SELECT grouped.store_key, core.clock()
      FROM core.group_anchor AS grouped
      JOIN core.store AS member ON member.store_key = grouped.store_key
     WHERE grouped.anchor_store_key = NEW.store_key
       AND coalesce((SELECT max(file.last_observed_at) FROM ops.staged_file AS file WHERE file.retailer = member.retailer AND file.store_id = member.store_id AND file.state = 'published')
                    >= least(OLD.complete_at, NEW.complete_at), true)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION core.note_store_day() IS 'Records the members whose observations may have become newer, or older, than their anchor''s by a store-day: the member''s own, or the anchor''s.';
CREATE TRIGGER watermark_moved AFTER UPDATE OF complete_at ON core.store FOR EACH ROW
    WHEN (OLD.complete_at IS DISTINCT FROM NEW.complete_at) EXECUTE FUNCTION core.note_store_day();

CREATE FUNCTION core.note_refreshed_prices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core.inference_change (store_key, changed_at)
    SELECT grouped.store_key, core.clock()
      FROM core.group_anchor AS grouped
      JOIN (SELECT DISTINCT store_key FROM after WHERE changed_at < core.clock()) AS refreshed ON refreshed.store_key IN (grouped.store_key, grouped.anchor_store_key)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION core.note_refreshed_prices() IS 'Records the members of whose prices, or their anchor''s, single lines were observed again without a change: which of the two is the newer may differ since.';
CREATE TRIGGER prices_refreshed AFTER UPDATE ON core.price REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION core.note_refreshed_prices();

CREATE TABLE ops.store_comparison (
    comparison_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    left_store_key  integer NOT NULL REFERENCES core.store,
    right_store_key integer NOT NULL REFERENCES core.store,
    left_file_id    bigint NOT NULL REFERENCES ops.staged_file,
    right_file_id   bigint NOT NULL REFERENCES ops.staged_file,
    purpose         text COLLATE "C" NOT NULL CHECK (purpose IN ('health', 'merge')),
    price_week      date NOT NULL,
    left_listed     integer NOT NULL,
    right_listed    integer NOT NULL,
    common          integer NOT NULL,
    equal           integer NOT NULL,
    range_overlap   double precision NOT NULL,
    is_match        boolean NOT NULL,
    differences     jsonb NOT NULL,
    compared_at     timestamptz NOT NULL,
    UNIQUE (left_file_id, right_file_id, purpose)
);
COMMENT ON TABLE ops.store_comparison IS 'Evidence: comparisons of two stores on all their common products: every health check and match, and the ten nearest pairs of each store that did not match. One row per pair of store-days and purpose.';
COMMENT ON COLUMN ops.store_comparison.comparison_id IS 'Surrogate key.';
COMMENT ON COLUMN ops.store_comparison.left_store_key IS 'The anchor (core.store); for a merge the one that stays.';
COMMENT ON COLUMN ops.store_comparison.right_store_key IS 'The member, or the anchor of the group that would join.';
COMMENT ON COLUMN ops.store_comparison.left_file_id IS 'The newest complete store-day of the left store then.';
COMMENT ON COLUMN ops.store_comparison.right_file_id IS 'The newest complete store-day of the right store then.';
COMMENT ON COLUMN ops.store_comparison.purpose IS 'health (does the member still match its anchor?) or merge (do two groups match?).';
COMMENT ON COLUMN ops.store_comparison.price_week IS 'Wednesday that began the price week of both store-days.';
COMMENT ON COLUMN ops.store_comparison.left_listed IS 'Products of the left store with a price in that week.';
COMMENT ON COLUMN ops.store_comparison.right_listed IS 'Products of the right store with a price in that week.';
COMMENT ON COLUMN ops.store_comparison.common IS 'Products of both, sold by the same price basis.';
COMMENT ON COLUMN ops.store_comparison.equal IS 'Common products that cost exactly the same.';
COMMENT ON COLUMN ops.store_comparison.range_overlap IS 'Share of the larger list that is common, 0 to 1.';
COMMENT ON COLUMN ops.store_comparison.is_match IS 'The stores match by the rules of docs/grouping.md.';
COMMENT ON COLUMN ops.store_comparison.differences IS 'The largest differences, at most ten: sku, left_cents, right_cents.';
COMMENT ON COLUMN ops.store_comparison.compared_at IS 'When.';

-- staging ---------------------------------------------------------------------------------------------------------------

CREATE UNLOGGED TABLE staging.offer (
    file_id         bigint NOT NULL,
    line_number     integer NOT NULL,
    retailer        text COLLATE "C",
    store_id        text COLLATE "C",
    sku             text COLLATE "C",
    name            text,
    brand           text,
    size            text,
    url             text,
    image_url       text,
    category        text COLLATE "C",
    price           numeric,
    was_price       numeric,
    unit_price      numeric(12, 4),
    unit_of_measure text,
    is_on_special   boolean,
    price_basis     text,
    multi_buy_quantity integer,
    multi_buy_price numeric,
    gtins           text[] COLLATE "C",
    barcode_note    text,
    observed_at     timestamptz,
    defects         text[],
    is_folded       boolean NOT NULL DEFAULT false,
    is_contradicted boolean NOT NULL DEFAULT false,
    differs_in_text boolean NOT NULL DEFAULT false,
    known_cents     integer,
    reasons         text[]
) WITH (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 95);
CREATE INDEX offer_line ON staging.offer (file_id, line_number);
COMMENT ON TABLE staging.offer IS 'The offers of store-days being ingested. One row per line of a file. Unlogged: a server crash empties it, and the files are loaded again.';
COMMENT ON COLUMN staging.offer.file_id IS 'The staged file (ops.staged_file).';
COMMENT ON COLUMN staging.offer.line_number IS 'Line in that file, from 1; the raw text is fetched from there when needed.';
COMMENT ON COLUMN staging.offer.retailer IS 'Retailer in the line.';
COMMENT ON COLUMN staging.offer.store_id IS 'Store in the line.';
COMMENT ON COLUMN staging.offer.sku IS 'The retailer''s product number as text.';
COMMENT ON COLUMN staging.offer.name IS 'Cleaned name.';
COMMENT ON COLUMN staging.offer.brand IS 'Cleaned brand.';
COMMENT ON COLUMN staging.offer.size IS 'Cleaned size text.';
COMMENT ON COLUMN staging.offer.url IS 'Product page.';
COMMENT ON COLUMN staging.offer.image_url IS 'Image address.';
COMMENT ON COLUMN staging.offer.category IS 'Category path from the top, separated by '' > ''.';
COMMENT ON COLUMN staging.offer.price IS 'price_current in dollars, exactly as written; null = unavailable, or unreadable (see defects).';
COMMENT ON COLUMN staging.offer.was_price IS 'price_was in dollars, exactly as written.';
COMMENT ON COLUMN staging.offer.unit_price IS 'Dollars per unit_of_measure, from the unit price text.';
COMMENT ON COLUMN staging.offer.unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN staging.offer.is_on_special IS 'As in the line.';
COMMENT ON COLUMN staging.offer.price_basis IS 'What the price is for: each, kg, L or m; each where the line does not say so. Null: unreadable, see defects.';
COMMENT ON COLUMN staging.offer.multi_buy_quantity IS 'Items of a multi-buy offer, as in the line.';
COMMENT ON COLUMN staging.offer.multi_buy_price IS 'Their price together in dollars, exactly as written.';
COMMENT ON COLUMN staging.offer.gtins IS 'Usable barcodes as GTIN-14, in the order given; null = none.';
COMMENT ON COLUMN staging.offer.barcode_note IS 'Why a barcode was dropped; the offer is kept.';
COMMENT ON COLUMN staging.offer.observed_at IS 'The line''s instant.';
COMMENT ON COLUMN staging.offer.defects IS 'Defects found by the reader that SQL cannot detect (not JSON, not a number …): input of the rule catalogue.';
COMMENT ON COLUMN staging.offer.is_folded IS 'An identical duplicate of an earlier line of this SKU.';
COMMENT ON COLUMN staging.offer.is_contradicted IS 'Another line of this SKU in this file has another price or barcode.';
COMMENT ON COLUMN staging.offer.differs_in_text IS 'Folded into the first line of its SKU, whose name, brand or size is another.';
COMMENT ON COLUMN staging.offer.known_cents IS 'The known price in cents, if the line''s price is too far from it to be a change of price; else null. Written by the check.';
COMMENT ON COLUMN staging.offer.reasons IS 'Ids of the rules that refuse this line; null = none. Written by the check.';

CREATE UNLOGGED TABLE staging.loaded_file (
    file_id bigint PRIMARY KEY
);
COMMENT ON TABLE staging.loaded_file IS 'Files whose rows are in staging.offer. Unlogged like it, so a crash empties both, and a file without a row here is loaded again.';
COMMENT ON COLUMN staging.loaded_file.file_id IS 'The staged file (ops.staged_file).';

-- quarantine, decisions, checks -----------------------------------------------------------------------------------------

CREATE TABLE ops.quarantined_offer (
    file_id         bigint NOT NULL REFERENCES ops.staged_file,
    line_number     integer NOT NULL,
    retailer        text COLLATE "C" NOT NULL,
    store_id        text COLLATE "C" NOT NULL,
    sku             text COLLATE "C",
    reasons         text[] NOT NULL,
    raw_text        text,
    state           text NOT NULL DEFAULT 'quarantined' CHECK (state IN ('quarantined', 'released', 'discarded')),
    outcome         text CHECK (outcome IN ('published', 'unavailable', 'outdated', 'folded')),
    decided_by      text,
    decision_reason text,
    decided_at      timestamptz,
    quarantined_at  timestamptz NOT NULL,
    PRIMARY KEY (file_id, line_number)
);
CREATE INDEX quarantined_offer_undecided ON ops.quarantined_offer (retailer, file_id) WHERE state = 'quarantined';
COMMENT ON TABLE ops.quarantined_offer IS 'Refused lines with all their reasons. One row per refused line of a published file.';
COMMENT ON COLUMN ops.quarantined_offer.file_id IS 'The staged file.';
COMMENT ON COLUMN ops.quarantined_offer.line_number IS 'Line in that file, from 1.';
COMMENT ON COLUMN ops.quarantined_offer.retailer IS 'Retailer of the file.';
COMMENT ON COLUMN ops.quarantined_offer.store_id IS 'Store of the file.';
COMMENT ON COLUMN ops.quarantined_offer.sku IS 'SKU, if the line has a readable one.';
COMMENT ON COLUMN ops.quarantined_offer.reasons IS 'Ids of every rule the line breaks (include/model/rules.py).';
COMMENT ON COLUMN ops.quarantined_offer.raw_text IS 'The line''s text in the file (cut at 20,000 characters; bytes that are not UTF-8 are replaced by U+FFFD).';
COMMENT ON COLUMN ops.quarantined_offer.state IS 'quarantined, released or discarded.';
COMMENT ON COLUMN ops.quarantined_offer.outcome IS 'Outcome of a released line: published; unavailable (it has no price); outdated (a newer observation exists, its price was not published); folded (equal to another line of its file).';
COMMENT ON COLUMN ops.quarantined_offer.decided_by IS 'Who decided.';
COMMENT ON COLUMN ops.quarantined_offer.decision_reason IS 'The reason given.';
COMMENT ON COLUMN ops.quarantined_offer.decided_at IS 'When it was decided.';
COMMENT ON COLUMN ops.quarantined_offer.quarantined_at IS 'When it was refused.';

CREATE TABLE ops.decision (
    decision_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id         bigint NOT NULL REFERENCES ops.staged_file,
    choice          text NOT NULL CHECK (choice IN ('release', 'discard', 'leave', 'unanswered', 'recheck', 'retract', 'again')),
    rule_id         text COLLATE "C",
    lines           integer,
    decided_by      text,
    decision_reason text NOT NULL,
    decided_via     text NOT NULL CHECK (decided_via IN ('command line', 'Airflow')),
    decided_at      timestamptz NOT NULL,
    detail          jsonb NOT NULL DEFAULT '{}',
    CHECK ((decided_by IS NULL) = (choice = 'unanswered'))
);
CREATE INDEX decision_file ON ops.decision (file_id);
COMMENT ON TABLE ops.decision IS 'Every decision about a staged file or its refused lines, in order. Append-only. One row per decision and file.';
COMMENT ON COLUMN ops.decision.decision_id IS 'Order of the decisions.';
COMMENT ON COLUMN ops.decision.file_id IS 'The staged file.';
COMMENT ON COLUMN ops.decision.choice IS 'release (publish), discard (never publish), leave (decide later), unanswered (no decision in time: still held), recheck (check again after a rule or the reader changed), retract (withdraw a published store-day), again (ingest a refused, discarded or retracted file once more).';
COMMENT ON COLUMN ops.decision.rule_id IS 'All refused lines of this rule; null = lines named one by one, or the whole file.';
COMMENT ON COLUMN ops.decision.lines IS 'Refused lines the decision is about; null = the whole file.';
COMMENT ON COLUMN ops.decision.decided_by IS 'The user who decided in the Airflow UI or ran the command; null = unanswered.';
COMMENT ON COLUMN ops.decision.decision_reason IS 'The reason given.';
COMMENT ON COLUMN ops.decision.decided_via IS 'Where it was decided: command line or Airflow.';
COMMENT ON COLUMN ops.decision.decided_at IS 'When.';
COMMENT ON COLUMN ops.decision.detail IS 'Counts of its effects; after a retraction also the SKUs whose earlier price is unknown.';

CREATE TABLE ops.quality_check (
    check_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer          text COLLATE "C" NOT NULL,
    catalogue_version text COLLATE "C" NOT NULL,
    files_hash        text COLLATE "C" NOT NULL,
    files             integer NOT NULL,
    lines             bigint NOT NULL,
    nights            date[] NOT NULL,
    broken            jsonb NOT NULL,
    held              integer NOT NULL,
    evaluation        jsonb,
    checked_at        timestamptz NOT NULL,
    UNIQUE (retailer, catalogue_version, files_hash)
);
COMMENT ON TABLE ops.quality_check IS 'Every check of a batch: all store-days of one retailer that were loaded and not yet checked. One row per batch and version of the rule catalogue.';
COMMENT ON COLUMN ops.quality_check.check_id IS 'Surrogate key.';
COMMENT ON COLUMN ops.quality_check.retailer IS 'The retailer.';
COMMENT ON COLUMN ops.quality_check.catalogue_version IS 'Version of the rule catalogue (include/model/rules.py).';
COMMENT ON COLUMN ops.quality_check.files_hash IS 'MD5 of the ids of its staged files: a repeated check rewrites its row.';
COMMENT ON COLUMN ops.quality_check.files IS 'Store-days checked.';
COMMENT ON COLUMN ops.quality_check.lines IS 'Lines checked.';
COMMENT ON COLUMN ops.quality_check.nights IS 'Nights of the store-days, in order.';
COMMENT ON COLUMN ops.quality_check.broken IS 'Lines per row rule of the catalogue, zeros too.';
COMMENT ON COLUMN ops.quality_check.held IS 'Store-days this check held.';
COMMENT ON COLUMN ops.quality_check.evaluation IS 'Validation result of the Great Expectations suite, for Data Docs; kept for the newest checks of a retailer, else null.';
COMMENT ON COLUMN ops.quality_check.checked_at IS 'When.';

CREATE TABLE ops.data_quality_result (
    file_id    bigint NOT NULL REFERENCES ops.staged_file,
    rule_id    text COLLATE "C" NOT NULL,
    check_id   bigint REFERENCES ops.quality_check,
    scope      text COLLATE "C" NOT NULL CHECK (scope IN ('row', 'store_day', 'retailer')),
    severity   text NOT NULL CHECK (severity IN ('critical', 'refuse', 'warning')),
    is_passed  boolean NOT NULL,
    checked    integer NOT NULL,
    failed     integer NOT NULL,
    detail     text,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (file_id, rule_id)
);
CREATE INDEX data_quality_result_failed ON ops.data_quality_result (check_id) WHERE NOT is_passed;
COMMENT ON TABLE ops.data_quality_result IS 'Results per store-day of every broken rule and every store-level rule. One row per (file, rule).';
COMMENT ON COLUMN ops.data_quality_result.file_id IS 'The staged file.';
COMMENT ON COLUMN ops.data_quality_result.rule_id IS 'The rule (include/model/rules.py).';
COMMENT ON COLUMN ops.data_quality_result.check_id IS 'The check that found it (ops.quality_check).';
COMMENT ON COLUMN ops.data_quality_result.scope IS 'row: a rule about single lines; store_day: about the file; retailer: about all store-days of the check, with the figures of the whole batch.';
COMMENT ON COLUMN ops.data_quality_result.severity IS 'critical holds the store-day (scope retailer: every store-day of the batch), refuse quarantines the line, warning is only reported.';
COMMENT ON COLUMN ops.data_quality_result.is_passed IS 'False: the rule is broken.';
COMMENT ON COLUMN ops.data_quality_result.checked IS 'Lines, prices or store-days checked.';
COMMENT ON COLUMN ops.data_quality_result.failed IS 'Those of them that break the rule; 0 while it is within its limit.';
COMMENT ON COLUMN ops.data_quality_result.detail IS 'Found and expected values, human-readable; for a row rule the first lines that break it.';
COMMENT ON COLUMN ops.data_quality_result.checked_at IS 'When.';

-- identity --------------------------------------------------------------------------------------------------------------

CREATE TABLE ops.match_decision (
    decision_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('sku', 'brand')),
    choice          text COLLATE "C" NOT NULL CHECK (choice IN ('join', 'apart')),
    decided_by      text NOT NULL,
    decision_reason text NOT NULL,
    decided_via     text NOT NULL CHECK (decided_via IN ('score', 'brands', 'release', 'command line', 'Airflow')),
    score           numeric CHECK (score BETWEEN 0 AND 1),
    evidence        jsonb NOT NULL,
    decided_at      timestamptz NOT NULL,
    file_id         bigint UNIQUE REFERENCES ops.staged_file,
    ended_at        timestamptz,
    ended_by        text,
    end_reason      text,
    ended_via       text COLLATE "C" CHECK (ended_via IN ('undo', 'reconciliation')),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_via IS NULL)),
    CHECK ((decided_via = 'score') = (score IS NOT NULL)),
    CHECK ((decided_via = 'release') = (file_id IS NOT NULL)),
    UNIQUE (decision_id, choice)
);
COMMENT ON TABLE ops.match_decision IS 'Decisions that pairs of SKUs, or of brands, are one or are not. One row per decision; in force until it ends (undone). Resolution reads those in force as facts.';
COMMENT ON COLUMN ops.match_decision.decision_id IS 'Number of the decision, for aisleflow catalogue undo.';
COMMENT ON COLUMN ops.match_decision.kind IS 'What it is about: sku (ops.match_pair) or brand (ops.brand_pair).';
COMMENT ON COLUMN ops.match_decision.choice IS 'join: the pairs are one; apart: they are not, are never proposed again, and nothing joins them.';
COMMENT ON COLUMN ops.match_decision.decided_by IS 'The user who decided in the Airflow UI or ran the command; aisleflow: reconciliation.';
COMMENT ON COLUMN ops.match_decision.decision_reason IS 'The reason given; of the matcher its explanation.';
COMMENT ON COLUMN ops.match_decision.decided_via IS 'Where it was decided: score (the matcher is sure), brands (barcodes show two brands on the same goods), release (a held store-day with renumbered SKUs was released), command line or Airflow.';
COMMENT ON COLUMN ops.match_decision.score IS 'Of the matcher: the probability that the pair is one product. Null: a person or a barcode decided.';
COMMENT ON COLUMN ops.match_decision.evidence IS 'What the decision rests on: features, rule version, proposals, products.';
COMMENT ON COLUMN ops.match_decision.decided_at IS 'When.';
COMMENT ON COLUMN ops.match_decision.file_id IS 'The released store-day with renumbered SKUs; null: another decision.';
COMMENT ON COLUMN ops.match_decision.ended_at IS 'When it ended; null: in force.';
COMMENT ON COLUMN ops.match_decision.ended_by IS 'The user who undid it; aisleflow: reconciliation.';
COMMENT ON COLUMN ops.match_decision.end_reason IS 'The reason given.';
COMMENT ON COLUMN ops.match_decision.ended_via IS 'undo: a person undid it, so the matcher does not join the pair again. reconciliation: what it rests on holds no more; it may be made again.';

CREATE TABLE ops.match_pair (
    decision_id   bigint NOT NULL,
    choice        text COLLATE "C" NOT NULL,
    left_sku_key  integer NOT NULL REFERENCES core.sku DEFERRABLE INITIALLY DEFERRED,
    right_sku_key integer NOT NULL REFERENCES core.sku DEFERRABLE INITIALLY DEFERRED,
    ended_at      timestamptz,
    PRIMARY KEY (decision_id, left_sku_key, right_sku_key),
    FOREIGN KEY (decision_id, choice) REFERENCES ops.match_decision (decision_id, choice),
    CHECK (left_sku_key < right_sku_key)
);
CREATE INDEX match_pair_left ON ops.match_pair (left_sku_key);
CREATE INDEX match_pair_right ON ops.match_pair (right_sku_key);
COMMENT ON TABLE ops.match_pair IS 'The pairs of SKUs that a decision is about. One row per (decision, pair): SKUs, because products change.';
COMMENT ON COLUMN ops.match_pair.decision_id IS 'The decision (ops.match_decision).';
COMMENT ON COLUMN ops.match_pair.left_sku_key IS 'The SKU known longer (core.sku).';
COMMENT ON COLUMN ops.match_pair.right_sku_key IS 'The other SKU.';
COMMENT ON COLUMN ops.match_pair.choice IS 'That of the decision: join or apart.';
COMMENT ON COLUMN ops.match_pair.ended_at IS 'When the decision was undone, or one of the numbers was found to be given to another good. Null: in force.';

CREATE TABLE ops.brand_pair (
    decision_id    bigint NOT NULL REFERENCES ops.match_decision,
    left_brand_id  integer NOT NULL REFERENCES core.brand,
    right_brand_id integer NOT NULL REFERENCES core.brand,
    PRIMARY KEY (decision_id, left_brand_id, right_brand_id),
    CHECK (left_brand_id < right_brand_id)
);
CREATE INDEX brand_pair_pair ON ops.brand_pair (left_brand_id, right_brand_id);
COMMENT ON TABLE ops.brand_pair IS 'The pairs of brands that a decision is about. One row per (decision, pair).';
COMMENT ON COLUMN ops.brand_pair.decision_id IS 'The decision (ops.match_decision).';
COMMENT ON COLUMN ops.brand_pair.left_brand_id IS 'The brand known longer (core.brand).';
COMMENT ON COLUMN ops.brand_pair.right_brand_id IS 'The other brand.';

CREATE TABLE ops.match_proposal (
    proposal_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    left_sku_key    integer NOT NULL REFERENCES core.sku,
    right_sku_key   integer NOT NULL REFERENCES core.sku,
    reason          text COLLATE "C" NOT NULL,
    score           numeric CHECK (score BETWEEN 0 AND 1),
    evidence        jsonb NOT NULL,
    proposed_at     timestamptz NOT NULL,
    forgotten_at    timestamptz,
    question_run_id text,
    UNIQUE (left_sku_key, right_sku_key),
    CHECK (left_sku_key < right_sku_key)
);
CREATE INDEX match_proposal_right ON ops.match_proposal (right_sku_key);
COMMENT ON TABLE ops.match_proposal IS 'Pairs of SKUs whose products may be one, for review. One row per pair, kept whatever is decided; ops.proposal has the state of each.';
COMMENT ON COLUMN ops.match_proposal.proposal_id IS 'Number of the proposal.';
COMMENT ON COLUMN ops.match_proposal.left_sku_key IS 'The SKU known longer (core.sku).';
COMMENT ON COLUMN ops.match_proposal.right_sku_key IS 'The other SKU.';
COMMENT ON COLUMN ops.match_proposal.reason IS 'Of equal keys: key_hits_several, same_retailer_text, key_but_other_barcode, key_but_size; of keys that are equal without unsure words: loose_key; of a refused barcode: barcode_but_size, barcode_but_own_label, barcode_but_other_barcode; of a SKU whose line shows the barcodes of two products: barcode_but_two_products; of the matcher: score, and score_but_… where barcodes, sizes or texts contradict a pair that it was sure of.';
COMMENT ON COLUMN ops.match_proposal.score IS 'The matcher''s probability that the two are one product; null: it was not asked.';
COMMENT ON COLUMN ops.match_proposal.evidence IS 'The key, barcode or features, and the SKU that raised it.';
COMMENT ON COLUMN ops.match_proposal.proposed_at IS 'When it was first proposed.';
COMMENT ON COLUMN ops.match_proposal.forgotten_at IS 'When one of the numbers was found to be given to another good: the pair is no longer proposed. Null: it is.';
COMMENT ON COLUMN ops.match_proposal.question_run_id IS 'Run of decide_proposals that claimed the question, so that it is asked once. Null: not asked, or the decision was undone since.';

CREATE VIEW ops.apart AS
SELECT least(left_sku.product_id, right_sku.product_id) AS left_product_id, greatest(left_sku.product_id, right_sku.product_id) AS right_product_id,
       max(decision_id) AS decision_id
  FROM ops.match_pair AS pair
  JOIN core.sku AS left_sku ON left_sku.sku_key = pair.left_sku_key
  JOIN core.sku AS right_sku ON right_sku.sku_key = pair.right_sku_key
 WHERE pair.choice = 'apart' AND pair.ended_at IS NULL
 GROUP BY 1, 2;
COMMENT ON VIEW ops.apart IS 'Products that a decision in force keeps apart. One row per pair of products.';
COMMENT ON COLUMN ops.apart.left_product_id IS 'The older product.';
COMMENT ON COLUMN ops.apart.right_product_id IS 'The newer product.';
COMMENT ON COLUMN ops.apart.decision_id IS 'The newest such decision (ops.match_decision).';

CREATE VIEW ops.proposal AS
WITH pair AS (
    SELECT proposal.*, least(left_sku.product_id, right_sku.product_id) AS left_product_id, greatest(left_sku.product_id, right_sku.product_id) AS right_product_id
      FROM ops.match_proposal AS proposal
      JOIN core.sku AS left_sku ON left_sku.sku_key = proposal.left_sku_key
      JOIN core.sku AS right_sku ON right_sku.sku_key = proposal.right_sku_key
), joining AS (
    SELECT decided.left_sku_key, decided.right_sku_key, max(decided.decision_id) AS decision_id, bool_or(decision.score IS NULL) AS is_by_person,
           bool_or(decision.score IS NOT NULL) AS is_by_score
      FROM ops.match_pair AS decided
      JOIN ops.match_decision AS decision USING (decision_id)
     WHERE decided.choice = 'join' AND decided.ended_at IS NULL
     GROUP BY 1, 2
), judged AS (
    SELECT pair.*, joining.decision_id, coalesce(joining.is_by_person, false) AS is_by_person,
           pair.forgotten_at IS NULL AND (joining.is_by_score IS TRUE OR NOT starts_with(pair.reason, 'score_but_')) AS is_proposed
      FROM pair
      LEFT JOIN joining USING (left_sku_key, right_sku_key)
), first AS (
    SELECT left_product_id, right_product_id, min(proposal_id) AS proposal_id FROM judged WHERE is_proposed GROUP BY 1, 2
)
SELECT judged.proposal_id, judged.left_product_id, judged.right_product_id, judged.left_sku_key, judged.right_sku_key, judged.reason, judged.score, judged.evidence,
       judged.proposed_at, judged.question_run_id, coalesce(judged.decision_id, apart.decision_id) AS decision_id,
       CASE WHEN judged.forgotten_at IS NOT NULL THEN 'settled'
            WHEN judged.left_product_id = judged.right_product_id THEN CASE WHEN judged.decision_id IS NULL THEN 'settled' ELSE 'joined' END
            WHEN apart.decision_id IS NOT NULL THEN 'rejected'
            WHEN judged.is_by_person OR NOT judged.is_proposed OR first.proposal_id <> judged.proposal_id THEN 'settled'
            ELSE 'waiting' END AS state
  FROM judged
  LEFT JOIN ops.apart AS apart USING (left_product_id, right_product_id)
  LEFT JOIN first USING (left_product_id, right_product_id);
COMMENT ON VIEW ops.proposal IS 'The proposals with their present products and state. One row per proposal.';
COMMENT ON COLUMN ops.proposal.proposal_id IS 'Number of the proposal (ops.match_proposal).';
COMMENT ON COLUMN ops.proposal.left_product_id IS 'The older product.';
COMMENT ON COLUMN ops.proposal.right_product_id IS 'The newer product; the same one: they are joined.';
COMMENT ON COLUMN ops.proposal.left_sku_key IS 'The SKU known longer.';
COMMENT ON COLUMN ops.proposal.right_sku_key IS 'The other SKU.';
COMMENT ON COLUMN ops.proposal.reason IS 'Why it was proposed, and why the two were not joined.';
COMMENT ON COLUMN ops.proposal.score IS 'The matcher''s probability that the two are one product; null: it was not asked.';
COMMENT ON COLUMN ops.proposal.evidence IS 'The key, barcode or features, and the SKU that raised it.';
COMMENT ON COLUMN ops.proposal.proposed_at IS 'When it was first proposed.';
COMMENT ON COLUMN ops.proposal.question_run_id IS 'Run of decide_proposals that asked about it.';
COMMENT ON COLUMN ops.proposal.decision_id IS 'The decision in force about it (ops.match_decision); null: none.';
COMMENT ON COLUMN ops.proposal.state IS 'waiting: for a decision, the first of its two products; joined: by a decision about this pair; rejected: a decision keeps the two products apart; settled: they are one product by other evidence, another waiting proposal is about the same two products, a person joined them and a split contradicts it, the matcher''s join that a barcode contradicts has ended, or a number was given to another good.';

CREATE TABLE ops.renumbered_sku (
    file_id bigint NOT NULL REFERENCES ops.staged_file,
    old_sku text COLLATE "C" NOT NULL,
    new_sku text COLLATE "C" NOT NULL,
    PRIMARY KEY (file_id, old_sku)
);
COMMENT ON TABLE ops.renumbered_sku IS 'The proposal of a store-day held for renumbered SKUs: pairs of a vanished and a new SKU with the same name, size and price. One row per pair; releasing the store-day joins all of them as one decision (ops.match_decision), discarding it joins none.';
COMMENT ON COLUMN ops.renumbered_sku.file_id IS 'The store-day (ops.staged_file).';
COMMENT ON COLUMN ops.renumbered_sku.old_sku IS 'The vanished SKU.';
COMMENT ON COLUMN ops.renumbered_sku.new_sku IS 'The new SKU; the only one that looks like it.';

CREATE TABLE ops.reconciliation (
    reconciliation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_until     timestamptz NOT NULL,
    newest_sku_key    integer NOT NULL,
    rule_version      integer NOT NULL,
    is_complete       boolean NOT NULL,
    joined            integer NOT NULL,
    ended             integer NOT NULL,
    proposed          integer NOT NULL,
    brands_joined     integer NOT NULL,
    moved             integer NOT NULL,
    reconciled_at     timestamptz NOT NULL
);
COMMENT ON TABLE ops.reconciliation IS 'Reconciliations that had something to look at. One row each; the newest is the watermark of the next.';
COMMENT ON COLUMN ops.reconciliation.reconciliation_id IS 'Their order.';
COMMENT ON COLUMN ops.reconciliation.changed_until IS 'The newest core.sku.sku_changed_at that it saw: the next one looks at SKUs that changed then or later.';
COMMENT ON COLUMN ops.reconciliation.newest_sku_key IS 'The newest SKU (core.sku) that it saw: another one at the same instant is new.';
COMMENT ON COLUMN ops.reconciliation.rule_version IS 'Version of the text rules (include/wording/product_key.py); after another one every SKU is looked at.';
COMMENT ON COLUMN ops.reconciliation.is_complete IS 'It looked at all SKUs, as if the matcher had joined none; after a week the next one does so again.';
COMMENT ON COLUMN ops.reconciliation.joined IS 'Pairs of SKUs that the matcher joined.';
COMMENT ON COLUMN ops.reconciliation.ended IS 'Earlier joins by the matcher that it no longer found.';
COMMENT ON COLUMN ops.reconciliation.proposed IS 'Pairs of SKUs that it proposed.';
COMMENT ON COLUMN ops.reconciliation.brands_joined IS 'Pairs of brands joined.';
COMMENT ON COLUMN ops.reconciliation.moved IS 'SKUs that moved to another product.';
COMMENT ON COLUMN ops.reconciliation.reconciled_at IS 'When it was applied.';

CREATE TABLE ops.barcode_decision (
    decision_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    claim_id        bigint NOT NULL,
    sku_key         integer NOT NULL REFERENCES core.sku,
    gtin            text COLLATE "C" NOT NULL,
    choice          text NOT NULL CHECK (choice IN ('accept', 'reject', 'split')),
    decided_by      text NOT NULL,
    decision_reason text NOT NULL,
    decided_via     text NOT NULL CHECK (decided_via IN ('command line', 'Airflow')),
    decided_at      timestamptz NOT NULL,
    before          jsonb NOT NULL,
    claims_hash     text COLLATE "C" NOT NULL,
    reopened_at     timestamptz,
    reopened_because text CHECK (reopened_because IN ('claim', 'merge')),
    ended_at        timestamptz,
    ended_by        text,
    end_reason      text,
    CHECK ((reopened_at IS NULL) = (reopened_because IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX barcode_decision_in_force ON ops.barcode_decision (claim_id) WHERE ended_at IS NULL;
CREATE INDEX barcode_decision_sku ON ops.barcode_decision (sku_key);
CREATE INDEX barcode_decision_gtin ON ops.barcode_decision (gtin);
COMMENT ON TABLE ops.barcode_decision IS 'Decisions about barcode conflicts. One row per decision; in force until it ends (undone, or replaced by a later one). Resolution reads those in force as facts.';
COMMENT ON COLUMN ops.barcode_decision.decision_id IS 'Order of the decisions.';
COMMENT ON COLUMN ops.barcode_decision.claim_id IS 'The claim (core.sku_barcode). A claim that is forgotten because its number was reused takes the effect of the decision with it.';
COMMENT ON COLUMN ops.barcode_decision.sku_key IS 'The SKU that claims the barcode.';
COMMENT ON COLUMN ops.barcode_decision.gtin IS 'The barcode (GTIN-14).';
COMMENT ON COLUMN ops.barcode_decision.choice IS 'accept: the claim is right, it is taken before all others and without veto; reject: the claim is wrong; split: the SKU is a product of its own.';
COMMENT ON COLUMN ops.barcode_decision.decided_by IS 'The user who decided in the Airflow UI or ran the command.';
COMMENT ON COLUMN ops.barcode_decision.decision_reason IS 'The reason given.';
COMMENT ON COLUMN ops.barcode_decision.decided_via IS 'Where it was decided: command line or Airflow.';
COMMENT ON COLUMN ops.barcode_decision.decided_at IS 'When.';
COMMENT ON COLUMN ops.barcode_decision.before IS 'What was before: reason of the refusal, product of the SKU and what joined it, product that had the barcode.';
COMMENT ON COLUMN ops.barcode_decision.claims_hash IS 'MD5 of all claims to the barcode and all barcodes of the SKU when it was decided; another one opens the conflict again.';
COMMENT ON COLUMN ops.barcode_decision.reopened_at IS 'When the conflict was opened again; the decision stays in force until another one is made. Null: decided.';
COMMENT ON COLUMN ops.barcode_decision.reopened_because IS 'claim: another claim came or went; merge: a SKU has joined or left one of the two products.';
COMMENT ON COLUMN ops.barcode_decision.ended_at IS 'When it was undone or replaced; null: in force.';
COMMENT ON COLUMN ops.barcode_decision.ended_by IS 'The user who undid or replaced it.';
COMMENT ON COLUMN ops.barcode_decision.end_reason IS 'The reason given.';

CREATE VIEW ops.barcode_conflict AS
SELECT claim.claim_id AS conflict_id, sku.retailer, sku.sku, claim.gtin, sku.product_id, owner.product_id AS owner_product_id, claim.refused_because AS reason,
       claim.source, claim.file_id, claim.first_seen_at,
       claim.refused_at AS detected_at, decision.decision_id, decision.choice, decision.reopened_because,
       CASE WHEN decision.decision_id IS NOT NULL THEN decision.reopened_at IS NOT NULL
            ELSE given.gtin IS NULL AND settled.sku_key IS NULL AND claim.refused_because <> 'two_products' END AS is_open
  FROM core.sku_barcode AS claim
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN core.product_barcode AS owner ON owner.gtin = claim.gtin
  LEFT JOIN ops.barcode_decision AS decision ON decision.claim_id = claim.claim_id AND decision.ended_at IS NULL
  LEFT JOIN (SELECT DISTINCT gtin FROM ops.barcode_decision WHERE choice = 'accept' AND ended_at IS NULL AND reopened_at IS NULL) AS given ON given.gtin = claim.gtin
  LEFT JOIN (SELECT DISTINCT sku_key FROM ops.barcode_decision WHERE choice = 'split' AND ended_at IS NULL AND reopened_at IS NULL) AS settled
         ON settled.sku_key = claim.sku_key
 WHERE claim.refused_because IS NOT NULL OR decision.decision_id IS NOT NULL;
COMMENT ON VIEW ops.barcode_conflict IS 'Barcodes that a retailer claims and the catalogue does not accept or a person decided about, with both sides. One row per (SKU, barcode).';
COMMENT ON COLUMN ops.barcode_conflict.conflict_id IS 'Number of the conflict (core.sku_barcode.claim_id).';
COMMENT ON COLUMN ops.barcode_conflict.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.barcode_conflict.sku IS 'The SKU that was found with the barcode.';
COMMENT ON COLUMN ops.barcode_conflict.gtin IS 'The barcode (GTIN-14).';
COMMENT ON COLUMN ops.barcode_conflict.product_id IS 'The product the SKU belongs to.';
COMMENT ON COLUMN ops.barcode_conflict.owner_product_id IS 'The product that owns the barcode, if any.';
COMMENT ON COLUMN ops.barcode_conflict.reason IS 'own_label, size, other_barcode, two_products, product_barcode, many_goods, rejected, split or apart (core.sku_barcode.refused_because); null: accepted by a person.';
COMMENT ON COLUMN ops.barcode_conflict.source IS 'Where the barcode was found: file, or the source of a look-up.';
COMMENT ON COLUMN ops.barcode_conflict.file_id IS 'The staged file with the barcode; null: it was looked up.';
COMMENT ON COLUMN ops.barcode_conflict.first_seen_at IS 'Instant of the earliest line, or of the look-up.';
COMMENT ON COLUMN ops.barcode_conflict.detected_at IS 'When it was first detected.';
COMMENT ON COLUMN ops.barcode_conflict.decision_id IS 'The decision in force about it (ops.barcode_decision); null: none.';
COMMENT ON COLUMN ops.barcode_conflict.choice IS 'accept, reject or split; null: not decided.';
COMMENT ON COLUMN ops.barcode_conflict.reopened_because IS 'What opened a decided conflict again: claim or merge.';
COMMENT ON COLUMN ops.barcode_conflict.is_open IS 'Waits for a decision. False: decided, or settled by a decision: the barcode was accepted for another SKU, or the SKU was split off.';

CREATE TABLE ops.merge_log (
    merge_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku_key         integer NOT NULL REFERENCES core.sku,
    from_product_id bigint NOT NULL REFERENCES core.product,
    to_product_id   bigint NOT NULL REFERENCES core.product,
    merged_by       text NOT NULL,
    decision_id     bigint REFERENCES ops.match_decision,
    evidence        jsonb NOT NULL,
    former          jsonb NOT NULL,
    merged_at       timestamptz NOT NULL,
    undone_at       timestamptz
);
CREATE INDEX merge_log_sku ON ops.merge_log (sku_key);
CREATE INDEX merge_log_decision ON ops.merge_log (decision_id);
COMMENT ON TABLE ops.merge_log IS 'Every move of a SKU from one product to another, and every change of what joins it to its product, with the evidence. One row per SKU and change.';
COMMENT ON COLUMN ops.merge_log.merge_id IS 'Surrogate key.';
COMMENT ON COLUMN ops.merge_log.sku_key IS 'The SKU that moved.';
COMMENT ON COLUMN ops.merge_log.from_product_id IS 'Its product before.';
COMMENT ON COLUMN ops.merge_log.to_product_id IS 'Its product after.';
COMMENT ON COLUMN ops.merge_log.merged_by IS 'barcode, key, score, person; separation (what joined it holds no more); reuse (the retailer gave the number to another good).';
COMMENT ON COLUMN ops.merge_log.decision_id IS 'The decision that moved it, itself or with its product (ops.match_decision); null: what its lines say.';
COMMENT ON COLUMN ops.merge_log.evidence IS 'Evidence of the merge, and the barcodes that the SKU brought along.';
COMMENT ON COLUMN ops.merge_log.former IS 'What joined it to its product before: joined_by, match_evidence, joined_at.';
COMMENT ON COLUMN ops.merge_log.merged_at IS 'When.';
COMMENT ON COLUMN ops.merge_log.undone_at IS 'When the decision was undone; null = it was not.';

CREATE TABLE ops.barcode_lookup (
    retailer       text COLLATE "C" NOT NULL REFERENCES core.retailer,
    sku            text COLLATE "C" NOT NULL,
    queued_at      timestamptz NOT NULL,
    sku_key        integer REFERENCES core.sku,
    store_key      integer REFERENCES core.store,
    priority       integer NOT NULL DEFAULT 0,
    claim          text COLLATE "C",
    claimed_at     timestamptz,
    attempts       integer NOT NULL DEFAULT 0,
    asked_at       timestamptz,
    asked_store_id text COLLATE "C",
    source         text COLLATE "C",
    result         text CHECK (result IN ('found', 'none', 'unusable', 'unknown_id', 'other_good', 'failed')),
    detail         text,
    gtin           text COLLATE "C",
    retry_at       timestamptz,
    PRIMARY KEY (retailer, sku),
    CHECK ((claim IS NULL) = (claimed_at IS NULL)),
    CHECK ((gtin IS NOT NULL) = (result IS NOT DISTINCT FROM 'found'))
);
CREATE INDEX barcode_lookup_claimed ON ops.barcode_lookup (claim) WHERE claim IS NOT NULL;
COMMENT ON TABLE ops.barcode_lookup IS 'SKUs whose barcode is looked up apart from the crawl: the queue, and the memory of what was found or not. One row per SKU.';
COMMENT ON COLUMN ops.barcode_lookup.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.barcode_lookup.sku IS 'The SKU.';
COMMENT ON COLUMN ops.barcode_lookup.queued_at IS 'When it was first known to lack a barcode.';
COMMENT ON COLUMN ops.barcode_lookup.sku_key IS 'The SKU in the catalogue (core.sku); null until one of its lines is published.';
COMMENT ON COLUMN ops.barcode_lookup.store_key IS 'The store to ask: of those that list it, the one with the widest range. Null: no store lists it, so it waits.';
COMMENT ON COLUMN ops.barcode_lookup.priority IS 'Order in the queue, greatest first: stores that list it, twice if another retailer''s product waits for it, plus days in the queue.';
COMMENT ON COLUMN ops.barcode_lookup.claim IS 'The batch of the worker that asks for it now; null: no worker has claimed it.';
COMMENT ON COLUMN ops.barcode_lookup.claimed_at IS 'When it was claimed, by the machine''s clock: a claim older than AISLEFLOW_LOOK_UP_CLAIM_MINUTES returns to the queue.';
COMMENT ON COLUMN ops.barcode_lookup.attempts IS 'Answers so far, errors included; each doubles the wait for the next one.';
COMMENT ON COLUMN ops.barcode_lookup.asked_at IS 'When the last answer came.';
COMMENT ON COLUMN ops.barcode_lookup.asked_store_id IS 'The store that was asked; null: the source knows no stores.';
COMMENT ON COLUMN ops.barcode_lookup.source IS 'The source that gave the last answer.';
COMMENT ON COLUMN ops.barcode_lookup.result IS 'Last answer: found; none (the retailer has no barcode for it); unusable (in-store code, wrong check digit); unknown_id (that store does not know the SKU); other_good (the answer is about another good); failed (no valid answer). Null: not asked yet.';
COMMENT ON COLUMN ops.barcode_lookup.detail IS 'Why there is no usable barcode; human-readable.';
COMMENT ON COLUMN ops.barcode_lookup.gtin IS 'The barcode found (GTIN-14). Whether the catalogue accepts it: core.sku_barcode.';
COMMENT ON COLUMN ops.barcode_lookup.retry_at IS 'Not asked again before; null: found, and not asked again.';

CREATE TABLE ops.lookup_night (
    night       date NOT NULL,
    retailer    text COLLATE "C" NOT NULL REFERENCES core.retailer,
    requests    integer NOT NULL DEFAULT 0,
    request_id  text,
    asked       integer NOT NULL DEFAULT 0,
    found       integer NOT NULL DEFAULT 0,
    learned     integer NOT NULL DEFAULT 0,
    contested   integer NOT NULL DEFAULT 0,
    none        integer NOT NULL DEFAULT 0,
    unknown     integer NOT NULL DEFAULT 0,
    failed      integer NOT NULL DEFAULT 0,
    joined      integer NOT NULL DEFAULT 0,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    PRIMARY KEY (night, retailer)
);
COMMENT ON TABLE ops.lookup_night IS 'What the barcode look-ups of a night asked and gained. One row per night and retailer.';
COMMENT ON COLUMN ops.lookup_night.night IS 'Melbourne date of the run.';
COMMENT ON COLUMN ops.lookup_night.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.lookup_night.requests IS 'Requests sent, opening pages, robots.txt and repeated ones included: what the budget counts.';
COMMENT ON COLUMN ops.lookup_night.request_id IS 'Id of the last request counted; repeating it does not count twice.';
COMMENT ON COLUMN ops.lookup_night.asked IS 'SKUs with an answer, errors included.';
COMMENT ON COLUMN ops.lookup_night.found IS 'SKUs with a usable barcode: learned and contested together.';
COMMENT ON COLUMN ops.lookup_night.learned IS 'Barcodes that the catalogue accepted.';
COMMENT ON COLUMN ops.lookup_night.contested IS 'Barcodes that it refused: see ops.barcode_conflict.';
COMMENT ON COLUMN ops.lookup_night.none IS 'SKUs without a usable barcode at the retailer.';
COMMENT ON COLUMN ops.lookup_night.unknown IS 'SKUs that the store asked does not know, or whose answer was about another good.';
COMMENT ON COLUMN ops.lookup_night.failed IS 'SKUs without a valid answer; asked again soon.';
COMMENT ON COLUMN ops.lookup_night.joined IS 'SKUs that moved to another product by what was found.';
COMMENT ON COLUMN ops.lookup_night.started_at IS 'When its first request was made.';
COMMENT ON COLUMN ops.lookup_night.finished_at IS 'When its last request or answer was recorded.';

-- crawling --------------------------------------------------------------------------------------------------------------

CREATE TABLE ops.crawl_request (
    retailer     text COLLATE "C" NOT NULL REFERENCES core.retailer,
    store_id     text COLLATE "C" NOT NULL,
    reason       text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    PRIMARY KEY (retailer, store_id)
);
COMMENT ON TABLE ops.crawl_request IS 'Stores requested to be crawled before all others. One row per store; removed when a crawl of it is complete.';
COMMENT ON COLUMN ops.crawl_request.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.crawl_request.store_id IS 'The store.';
COMMENT ON COLUMN ops.crawl_request.reason IS 'Why; human-readable.';
COMMENT ON COLUMN ops.crawl_request.requested_by IS 'The user or the flow that requested it.';
COMMENT ON COLUMN ops.crawl_request.requested_at IS 'When.';

CREATE TABLE ops.crawl_plan (
    night      date NOT NULL,
    retailer   text COLLATE "C" NOT NULL REFERENCES core.retailer,
    store_id   text COLLATE "C" NOT NULL,
    position   integer NOT NULL,
    decision   text NOT NULL CHECK (decision IN ('crawl', 'deferred', 'excluded')),
    cause      text NOT NULL CHECK (cause IN ('requested', 'due', 'verification', 'never_crawled', 'current',
                                              'request_budget', 'time_budget', 'night_ended',
                                              'other_stores_requested', 'inferred', 'never_discovered', 'no_online_store_id', 'not_a_supermarket', 'closed', 'not_trading')),
    reason     text NOT NULL,
    planned_at timestamptz NOT NULL,
    begun_at   timestamptz,
    PRIMARY KEY (night, retailer, store_id)
);
COMMENT ON TABLE ops.crawl_plan IS 'The plan of every night: which stores are crawled, deferred to the next night or left out, and why. One row per night and store.';
COMMENT ON COLUMN ops.crawl_plan.night IS 'Melbourne date of the crawl run.';
COMMENT ON COLUMN ops.crawl_plan.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.crawl_plan.store_id IS 'The store.';
COMMENT ON COLUMN ops.crawl_plan.position IS 'Position in the order of the night, from 1.';
COMMENT ON COLUMN ops.crawl_plan.decision IS 'crawl, deferred (the budget is spent) or excluded (not crawled this night: see reason).';
COMMENT ON COLUMN ops.crawl_plan.cause IS 'Of crawl: requested, due (an anchor or ungrouped store without current prices), verification (a member of a group), never_crawled or current. Of deferred: request_budget, time_budget, night_ended. Of excluded: the others; inferred: a member that its anchor is crawled for.';
COMMENT ON COLUMN ops.crawl_plan.reason IS 'Why at this position, why deferred or why left out; human-readable.';
COMMENT ON COLUMN ops.crawl_plan.planned_at IS 'When.';
COMMENT ON COLUMN ops.crawl_plan.begun_at IS 'When the last attempt at the store began; null: none did. Its outcome: ops.crawl_outcome.';

CREATE TABLE ops.crawl_outcome (
    retailer    text COLLATE "C" NOT NULL REFERENCES core.retailer,
    store_id    text COLLATE "C" NOT NULL,
    night       date NOT NULL,
    run_key     text COLLATE "C" NOT NULL,
    state       text NOT NULL CHECK (state IN ('crawled', 'failed', 'blocked')),
    is_complete boolean NOT NULL,
    error_kind  text CHECK (error_kind IN ('blocked', 'robots', 'site_unavailable', 'shape_changed', 'wrong_store', 'empty', 'not_allowed', 'other')),
    reason      text,
    rows        integer NOT NULL,
    pages       integer NOT NULL,
    requests    integer NOT NULL,
    manifest    text,
    detail      jsonb NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (retailer, store_id, run_key)
);
CREATE INDEX crawl_outcome_night ON ops.crawl_outcome (night, retailer);
COMMENT ON TABLE ops.crawl_outcome IS 'Outcome of the last attempt at each store of each run. One row per run and store.';
COMMENT ON COLUMN ops.crawl_outcome.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.crawl_outcome.store_id IS 'The store.';
COMMENT ON COLUMN ops.crawl_outcome.night IS 'Melbourne date of the crawl run.';
COMMENT ON COLUMN ops.crawl_outcome.run_key IS 'Identifies the run.';
COMMENT ON COLUMN ops.crawl_outcome.state IS 'crawled (perhaps in part), failed, or blocked: the site refuses requests and an operator must decide.';
COMMENT ON COLUMN ops.crawl_outcome.is_complete IS 'Every expected category was finished.';
COMMENT ON COLUMN ops.crawl_outcome.error_kind IS 'Cause of an attempt that failed or was blocked: blocked (a bot wall), robots (robots.txt forbids it), site_unavailable (no valid responses), shape_changed, wrong_store, empty, not_allowed (AISLEFLOW_ALLOW_LIVE), other. Null: crawled.';
COMMENT ON COLUMN ops.crawl_outcome.reason IS 'Why it failed or is incomplete; human-readable.';
COMMENT ON COLUMN ops.crawl_outcome.rows IS 'Offers staged.';
COMMENT ON COLUMN ops.crawl_outcome.pages IS 'Pages read.';
COMMENT ON COLUMN ops.crawl_outcome.requests IS 'Requests made by this attempt; pages landed before are not requested again.';
COMMENT ON COLUMN ops.crawl_outcome.manifest IS 'Manifest of the staged file, below the storage root.';
COMMENT ON COLUMN ops.crawl_outcome.detail IS 'Categories, skipped rows by reason, and counts of inconsistent unit prices by kind.';
COMMENT ON COLUMN ops.crawl_outcome.started_at IS 'When the attempt began.';
COMMENT ON COLUMN ops.crawl_outcome.finished_at IS 'When it ended.';
COMMENT ON COLUMN ops.crawl_outcome.recorded_at IS 'The same by the machine''s clock, to compare with the start of another run.';

CREATE TABLE ops.request_limit (
    retailer        text COLLATE "C" PRIMARY KEY REFERENCES core.retailer,
    request_id      text NOT NULL,
    next_request_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.request_limit IS 'The last reserved request of each site, so that the pause between requests is kept over all workers. One row per retailer.';
COMMENT ON COLUMN ops.request_limit.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.request_limit.request_id IS 'Id of the request with the reservation; repeating a request_id does not reserve twice.';
COMMENT ON COLUMN ops.request_limit.next_request_at IS 'When that request may be made, by the machine''s clock: pauses are in real time, also for a simulated night. May be in the future after a Retry-After.';

CREATE TABLE ops.crawl_breaker (
    retailer    text COLLATE "C" NOT NULL REFERENCES core.retailer,
    scope       text COLLATE "C" NOT NULL,
    state       text NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
    failures    integer NOT NULL,
    kind        text CHECK (kind IN ('refused', 'site_unavailable')),
    reason      text,
    probe_store text,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (retailer, scope)
);
COMMENT ON TABLE ops.crawl_breaker IS 'Whether a run still sends requests to a site: open after AISLEFLOW_BREAKER_STORES consecutive stores whose site was unavailable or refused. One row per retailer and round of a run.';
COMMENT ON COLUMN ops.crawl_breaker.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.crawl_breaker.scope IS 'The run''s key, with a suffix for the stores crawled after an operator''s approval.';
COMMENT ON COLUMN ops.crawl_breaker.state IS 'closed (stores are requested), open (none is), half_open (one store probes the site).';
COMMENT ON COLUMN ops.crawl_breaker.failures IS 'Consecutive stores whose site was unavailable or refused.';
COMMENT ON COLUMN ops.crawl_breaker.kind IS 'Kind of the last failure: refused (a bot wall, an operator must decide) or site_unavailable (no valid responses).';
COMMENT ON COLUMN ops.crawl_breaker.reason IS 'The error message, with the address.';
COMMENT ON COLUMN ops.crawl_breaker.probe_store IS 'The store that probes the site, while half open.';
COMMENT ON COLUMN ops.crawl_breaker.changed_at IS 'When the state changed or the probe began, by the machine''s clock.';

CREATE TABLE ops.robots_txt (
    retailer   text COLLATE "C" NOT NULL REFERENCES core.retailer,
    scope      text COLLATE "C" NOT NULL,
    address    text NOT NULL,
    status     integer NOT NULL,
    body       text NOT NULL,
    fetched_at timestamptz NOT NULL,
    PRIMARY KEY (retailer, scope)
);
COMMENT ON TABLE ops.robots_txt IS 'Each site''s robots.txt, requested once per run. One row per retailer and run.';
COMMENT ON COLUMN ops.robots_txt.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.robots_txt.scope IS 'The run''s key.';
COMMENT ON COLUMN ops.robots_txt.address IS 'Its URL.';
COMMENT ON COLUMN ops.robots_txt.status IS 'Status of the response; 4xx other than 401, 403 and 429 means that everything is allowed.';
COMMENT ON COLUMN ops.robots_txt.body IS 'The unchanged rules, at most 500 kB.';
COMMENT ON COLUMN ops.robots_txt.fetched_at IS 'When.';

CREATE TABLE ops.alert (
    alert_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_key    text COLLATE "C" NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('failed', 'held', 'question')),
    severity     text NOT NULL CHECK (severity IN ('critical', 'warning')),
    retailer     text COLLATE "C",
    source       text COLLATE "C",
    file_ids     bigint[] NOT NULL DEFAULT '{}',
    item         text CHECK (item IN ('conflict', 'proposal')),
    item_ids     bigint[] NOT NULL DEFAULT '{}',
    title        text NOT NULL,
    body         text NOT NULL,
    link         text,
    raised_at    timestamptz NOT NULL,
    answer_by_at timestamptz,
    reminders    integer NOT NULL DEFAULT 0,
    told_at      timestamptz,
    ended_at     timestamptz,
    end_reason   text,
    end_told_at  timestamptz,
    CHECK ((item IS NULL) = (item_ids = '{}')),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CHECK (end_told_at IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX alert_open ON ops.alert (alert_key) WHERE end_told_at IS NULL;
COMMENT ON TABLE ops.alert IS 'Every trouble that a person is told of: its begin once, reminders of a question, its end once. One row per cause, from its begin until its end was told; the same cause gets a new row afterwards.';
COMMENT ON COLUMN ops.alert.alert_id IS 'Order of the begins.';
COMMENT ON COLUMN ops.alert.alert_key IS 'The cause: equal for every task and run that meets it.';
COMMENT ON COLUMN ops.alert.kind IS 'failed (a task), held (store-days wait for a decision), question (a crawl, barcode conflicts or proposals wait for an answer).';
COMMENT ON COLUMN ops.alert.severity IS 'critical: work stops without an operator, or the whole night of a retailer is affected. warning: all else goes on.';
COMMENT ON COLUMN ops.alert.retailer IS 'Retailer slug; null: it concerns no single retailer.';
COMMENT ON COLUMN ops.alert.source IS 'dag_id.task_id of the failed task that raised it: its next success for the same retailer is the end. Null: ended otherwise.';
COMMENT ON COLUMN ops.alert.file_ids IS 'Of held: the store-days.';
COMMENT ON COLUMN ops.alert.item IS 'What a question asks about one by one: conflict (ops.barcode_conflict) or proposal (ops.proposal). Null: it asks about something else.';
COMMENT ON COLUMN ops.alert.item_ids IS 'Their numbers: when none of them is open any more, the question is over.';
COMMENT ON COLUMN ops.alert.title IS 'First line of the message.';
COMMENT ON COLUMN ops.alert.body IS 'The message.';
COMMENT ON COLUMN ops.alert.link IS 'The page of the task or question in the UI.';
COMMENT ON COLUMN ops.alert.raised_at IS 'When the trouble began.';
COMMENT ON COLUMN ops.alert.answer_by_at IS 'When the question lapses; null: there is none.';
COMMENT ON COLUMN ops.alert.reminders IS 'Reminders sent before the question lapses.';
COMMENT ON COLUMN ops.alert.told_at IS 'When the services accepted it; null: not sent yet, or to be sent again (AISLEFLOW_ALERT_REPEAT_HOURS).';
COMMENT ON COLUMN ops.alert.ended_at IS 'When the trouble ended; null again if it comes back before its end was told.';
COMMENT ON COLUMN ops.alert.end_reason IS 'What ended it.';
COMMENT ON COLUMN ops.alert.end_told_at IS 'When the services accepted the message about the end.';

-- bargains --------------------------------------------------------------------------------------------------------------

CREATE TABLE core.bargain (
    product_id                  bigint NOT NULL REFERENCES core.product,
    area                        text COLLATE "C" NOT NULL,
    compared_by                 text NOT NULL CHECK (compared_by IN ('price', 'unit_price')),
    lowest                      numeric(12, 4) NOT NULL,
    highest                     numeric(12, 4) NOT NULL,
    saving_share                numeric(5, 4) NOT NULL CHECK (saving_share BETWEEN 0 AND 1),
    stores                      integer NOT NULL,
    cheapest_retailer           text COLLATE "C" NOT NULL,
    cheapest_store_id           text COLLATE "C" NOT NULL,
    cheapest_sku                text COLLATE "C" NOT NULL,
    cheapest_price_cents        integer NOT NULL,
    cheapest_price_basis        text NOT NULL,
    cheapest_unit_price         numeric(12, 4),
    cheapest_unit_of_measure    text,
    cheapest_multi_buy_quantity integer,
    cheapest_multi_buy_cents    integer,
    cheapest_is_on_special      boolean NOT NULL,
    cheapest_source             text NOT NULL CHECK (cheapest_source IN ('observed', 'inferred')),
    cheapest_observed_at        timestamptz NOT NULL,
    cheapest_stores             integer NOT NULL,
    dearest_retailer            text COLLATE "C" NOT NULL,
    dearest_store_id            text COLLATE "C" NOT NULL,
    dearest_sku                 text COLLATE "C" NOT NULL,
    dearest_price_cents         integer NOT NULL,
    dearest_price_basis         text NOT NULL,
    dearest_unit_price          numeric(12, 4),
    dearest_unit_of_measure     text,
    dearest_multi_buy_quantity  integer,
    dearest_multi_buy_cents     integer,
    dearest_is_on_special       boolean NOT NULL,
    dearest_source              text NOT NULL CHECK (dearest_source IN ('observed', 'inferred')),
    dearest_observed_at         timestamptz NOT NULL,
    dearest_stores              integer NOT NULL,
    PRIMARY KEY (product_id, area)
);
COMMENT ON TABLE core.bargain IS 'Products whose cheapest current price is far below their dearest (docs/bargains.md). One row per product and area; the whole table is replaced by each publication.';
COMMENT ON COLUMN core.bargain.product_id IS 'The product.';
COMMENT ON COLUMN core.bargain.area IS 'A state, or AU: all stores are compared.';
COMMENT ON COLUMN core.bargain.compared_by IS 'price; unit_price where price bases or sizes of the product differ.';
COMMENT ON COLUMN core.bargain.lowest IS 'The lowest price of the area in dollars; per unit where compared_by is unit_price.';
COMMENT ON COLUMN core.bargain.highest IS 'The highest one.';
COMMENT ON COLUMN core.bargain.saving_share IS '1 - lowest / highest; between AISLEFLOW_BARGAIN_SAVING_MIN and AISLEFLOW_BARGAIN_SAVING_MAX.';
COMMENT ON COLUMN core.bargain.stores IS 'Stores of the area whose prices were compared.';
COMMENT ON COLUMN core.bargain.cheapest_retailer IS 'Retailer of the cheapest store.';
COMMENT ON COLUMN core.bargain.cheapest_store_id IS 'The cheapest store; of several one with an observed price, then with the newest.';
COMMENT ON COLUMN core.bargain.cheapest_sku IS 'The retailer''s product number there.';
COMMENT ON COLUMN core.bargain.cheapest_price_cents IS 'Price there, in cents.';
COMMENT ON COLUMN core.bargain.cheapest_price_basis IS 'What one pays it for: each, kg, L or m.';
COMMENT ON COLUMN core.bargain.cheapest_unit_price IS 'Dollars per unit there.';
COMMENT ON COLUMN core.bargain.cheapest_unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN core.bargain.cheapest_multi_buy_quantity IS 'Items of a multi-buy offer there; null without one. It is shown, not compared.';
COMMENT ON COLUMN core.bargain.cheapest_multi_buy_cents IS 'Price of those items together, in cents.';
COMMENT ON COLUMN core.bargain.cheapest_is_on_special IS 'On special when last seen.';
COMMENT ON COLUMN core.bargain.cheapest_source IS 'observed, or inferred from the anchor of the store''s group.';
COMMENT ON COLUMN core.bargain.cheapest_observed_at IS 'The oldest observation of this price in the store''s zone and state.';
COMMENT ON COLUMN core.bargain.cheapest_stores IS 'Stores of the area with the lowest price.';
COMMENT ON COLUMN core.bargain.dearest_retailer IS 'Retailer of the dearest store.';
COMMENT ON COLUMN core.bargain.dearest_store_id IS 'The dearest store; of several one with an observed price, then with the newest.';
COMMENT ON COLUMN core.bargain.dearest_sku IS 'The retailer''s product number there.';
COMMENT ON COLUMN core.bargain.dearest_price_cents IS 'Price there, in cents.';
COMMENT ON COLUMN core.bargain.dearest_price_basis IS 'What one pays it for: each, kg, L or m.';
COMMENT ON COLUMN core.bargain.dearest_unit_price IS 'Dollars per unit there.';
COMMENT ON COLUMN core.bargain.dearest_unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN core.bargain.dearest_multi_buy_quantity IS 'Items of a multi-buy offer there; null without one. It is shown, not compared.';
COMMENT ON COLUMN core.bargain.dearest_multi_buy_cents IS 'Price of those items together, in cents.';
COMMENT ON COLUMN core.bargain.dearest_is_on_special IS 'On special when last seen.';
COMMENT ON COLUMN core.bargain.dearest_source IS 'observed, or inferred from the anchor of the store''s group.';
COMMENT ON COLUMN core.bargain.dearest_observed_at IS 'The oldest observation of this price in the store''s zone and state.';
COMMENT ON COLUMN core.bargain.dearest_stores IS 'Stores of the area with the highest price.';

CREATE TABLE ops.bargain_run (
    night        date PRIMARY KEY,
    published_at timestamptz NOT NULL,
    missing      jsonb NOT NULL,
    products     integer NOT NULL,
    compared     integer NOT NULL,
    small        integer NOT NULL,
    implausible  integer NOT NULL,
    bargains     integer NOT NULL
);
COMMENT ON TABLE ops.bargain_run IS 'The publications of bargains. One row per night; the newest published_at is what core.bargain holds.';
COMMENT ON COLUMN ops.bargain_run.night IS 'Night of the publication.';
COMMENT ON COLUMN ops.bargain_run.published_at IS 'When core.bargain was last replaced for it: the prices were current then.';
COMMENT ON COLUMN ops.bargain_run.missing IS 'Retailers whose data of the night were not complete: retailer, state (not_planned, under_way, nothing_published).';
COMMENT ON COLUMN ops.bargain_run.products IS 'Products with a current price.';
COMMENT ON COLUMN ops.bargain_run.compared IS 'Pairs of product and area with prices of at least two price zones.';
COMMENT ON COLUMN ops.bargain_run.small IS 'Of these, left out because the saving is below AISLEFLOW_BARGAIN_SAVING_MIN.';
COMMENT ON COLUMN ops.bargain_run.implausible IS 'Of these, left out because it is above AISLEFLOW_BARGAIN_SAVING_MAX: rather a wrong price than a bargain.';
COMMENT ON COLUMN ops.bargain_run.bargains IS 'Of these, published: the rows of core.bargain.';

-- views -----------------------------------------------------------------------------------------------------------------

CREATE FUNCTION core.current_since() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN core.clock() - make_interval(hours => coalesce(nullif(current_setting('aisleflow.current_hours', true), '')::integer, 72));
COMMENT ON FUNCTION core.current_since() IS 'A price observed before is not current (AISLEFLOW_CURRENT_HOURS; 72 in a session without it).';

CREATE VIEW core.served_price AS
-- what a store shows itself: all of a store without an anchor, and what the anchor has no row of
SELECT price.store_key, price.store_key AS price_store_key, price.sku_key, st.retailer, st.store_id, sku.sku, sku.product_id, sku.name, sku.brand, sku.size, sku.gtin,
       price.price_cents, price.was_price_cents, price.price_basis, price.unit_price, price.unit_of_measure, price.multi_buy_quantity, price.multi_buy_cents,
       price.is_on_special, price.is_available, price.is_listed, price.delisted_at,
       price.is_listed AND seen.observed_at >= core.current_since() AS is_current, seen.observed_at, price.changed_at AS price_changed_at, NULL::timestamptz AS own_changed_at, sku.sku_changed_at,
       'observed'::text AS source, st.store_id AS anchor_store_id, st.is_confirmed
  FROM core.price AS price
  JOIN core.store AS st USING (store_key)
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN core.group_anchor AS grouped ON grouped.store_key = price.store_key
 CROSS JOIN LATERAL (SELECT CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, st.complete_at) ELSE price.observed_at END AS observed_at) AS seen
 WHERE grouped.store_key IS NULL
    OR (SELECT true FROM core.price AS anchors WHERE anchors.store_key = grouped.anchor_store_key AND anchors.sku_key = price.sku_key) IS NULL
 UNION ALL
-- what the anchor of a member has a row of: the newer observation counts, and a difference that the member showed itself in the night of the anchor's last change, or since
SELECT grouped.store_key, price.store_key, price.sku_key, st.retailer, st.store_id, sku.sku, sku.product_id, sku.name, sku.brand, sku.size, sku.gtin,
       CASE WHEN chosen.is_own THEN own.price_cents ELSE price.price_cents END, CASE WHEN chosen.is_own THEN own.was_price_cents ELSE price.was_price_cents END,
       CASE WHEN chosen.is_own THEN own.price_basis ELSE price.price_basis END, CASE WHEN chosen.is_own THEN own.unit_price ELSE price.unit_price END,
       CASE WHEN chosen.is_own THEN own.unit_of_measure ELSE price.unit_of_measure END, CASE WHEN chosen.is_own THEN own.multi_buy_quantity ELSE price.multi_buy_quantity END,
       CASE WHEN chosen.is_own THEN own.multi_buy_cents ELSE price.multi_buy_cents END, CASE WHEN chosen.is_own THEN own.is_on_special ELSE price.is_on_special END,
       CASE WHEN chosen.is_own THEN own.is_available ELSE price.is_available END,
       CASE WHEN chosen.is_own THEN own.is_listed ELSE price.is_listed AND NOT chosen.is_absent END,
       CASE WHEN chosen.is_own THEN own.delisted_at WHEN chosen.is_absent THEN coalesce(price.delisted_at, st.complete_at) ELSE price.delisted_at END,
       CASE WHEN chosen.is_own THEN own.is_listed AND chosen.own_at >= core.current_since()
            ELSE price.is_listed AND NOT chosen.is_absent
                 AND chosen.anchor_at >= greatest(core.current_since(), core.price_week_start(core.clock(), st.state), core.price_week_start(core.clock(), leader.state)) END,
       CASE WHEN chosen.is_own THEN chosen.own_at ELSE chosen.anchor_at END, price.changed_at, own.changed_at, sku.sku_changed_at,
       CASE WHEN chosen.is_own THEN 'observed' ELSE 'inferred' END, CASE WHEN chosen.is_own THEN st.store_id ELSE leader.store_id END, st.is_confirmed AND (chosen.is_own OR grouped.is_verified)
  FROM core.price AS price
  JOIN core.group_anchor AS grouped ON grouped.anchor_store_key = price.store_key
  JOIN core.store AS leader ON leader.store_key = price.store_key
  JOIN core.store AS st ON st.store_key = grouped.store_key
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN LATERAL (SELECT * FROM core.price AS own WHERE own.store_key = grouped.store_key AND own.sku_key = price.sku_key OFFSET 0) AS own ON true
 CROSS JOIN LATERAL (SELECT CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, leader.complete_at) ELSE price.observed_at END AS anchor_at,
                            CASE WHEN own.uses_store_watermark THEN greatest(own.observed_at, st.complete_at) ELSE own.observed_at END AS own_at,
                            own.sku_key IS NOT NULL AND own.retracted_at IS NULL AS has_own) AS seen
 CROSS JOIN LATERAL (SELECT seen.anchor_at, seen.own_at,
                            seen.has_own AND (price.retracted_at IS NOT NULL OR greatest(seen.own_at, own.delisted_at) >= greatest(seen.anchor_at, price.delisted_at)
                                              OR core.night_of(greatest(seen.own_at, own.delisted_at)) >= core.night_of(greatest(price.observed_at, price.delisted_at))
                                                 AND (own.price_cents, own.was_price_cents, own.price_basis, own.multi_buy_quantity, own.multi_buy_cents, own.is_on_special, own.is_available, own.is_listed)
                                                     IS DISTINCT FROM (price.price_cents, price.was_price_cents, price.price_basis, price.multi_buy_quantity, price.multi_buy_cents, price.is_on_special,
                                                                       price.is_available, price.is_listed)) AS is_own,
                            NOT seen.has_own AND coalesce(core.night_of(st.complete_at) >= core.night_of(greatest(price.observed_at, price.delisted_at)), false) AS is_absent
                     OFFSET 0) AS chosen
 UNION ALL
-- what is inferred no longer, and was never observed
SELECT ended.store_key, ended.store_key, ended.sku_key, st.retailer, st.store_id, sku.sku, sku.product_id, sku.name, sku.brand, sku.size, sku.gtin,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, false, ended.ended_at, false, NULL, ended.ended_at, NULL, sku.sku_changed_at, 'inferred', NULL, false
  FROM core.inference_end AS ended
  JOIN core.store AS st USING (store_key)
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN core.group_anchor AS grouped ON grouped.store_key = ended.store_key
 WHERE (SELECT true FROM core.price AS own WHERE own.store_key = ended.store_key AND own.sku_key = ended.sku_key) IS NULL
   AND (SELECT true FROM core.price AS anchors WHERE anchors.store_key = grouped.anchor_store_key AND anchors.sku_key = ended.sku_key) IS NULL;
COMMENT ON VIEW core.served_price IS 'Which price counts for a store and SKU: its own, or the one of the anchor of its group. The only place of that rule (docs/grouping.md). Prices are looked up row by row in the key of core.price, whatever the planner expects. Readers use core.store_price.';
COMMENT ON COLUMN core.served_price.store_key IS 'The store (core.store).';
COMMENT ON COLUMN core.served_price.price_store_key IS 'The store whose row of core.price the row begins with: its anchor, or itself. A statement that names both kinds of store finds their prices by key.';
COMMENT ON COLUMN core.served_price.sku_key IS 'The SKU (core.sku).';
COMMENT ON COLUMN core.served_price.gtin IS 'The barcode that the retailer''s newest line gives.';
COMMENT ON COLUMN core.served_price.price_changed_at IS 'When a value of that row last changed; has an index.';
COMMENT ON COLUMN core.served_price.own_changed_at IS 'When the member''s own row last changed, where the row begins with the anchor''s.';
COMMENT ON COLUMN core.served_price.sku_changed_at IS 'When a value of the SKU last changed: product, barcode, name, brand, size.';

CREATE VIEW core.dated_store_price AS
SELECT served.store_key, served.price_store_key, served.sku_key, served.retailer, served.store_id, served.sku, served.product_id,
       bar.gtin AS barcode, CASE WHEN claim.refused_because IS NOT NULL THEN claim.gtin END AS contested_barcode, served.name, served.brand, served.size,
       served.price_cents, served.was_price_cents, served.price_basis, served.unit_price, served.unit_of_measure, served.multi_buy_quantity, served.multi_buy_cents,
       served.is_on_special, served.is_available, served.is_listed, served.delisted_at, served.is_current, served.observed_at,
       greatest(served.price_changed_at, served.own_changed_at, turned.changed_at, served.sku_changed_at) AS changed_at, served.price_changed_at, served.sku_changed_at,
       served.source, served.anchor_store_id, served.is_confirmed
  FROM core.served_price AS served
  LEFT JOIN core.product_barcode AS bar ON bar.product_id = served.product_id AND bar.is_primary
  LEFT JOIN core.sku_barcode AS claim ON claim.sku_key = served.sku_key AND claim.gtin = served.gtin
  LEFT JOIN (SELECT store_key, max(changed_at) AS changed_at FROM core.inference_change GROUP BY store_key) AS turned ON turned.store_key = served.store_key;
COMMENT ON VIEW core.dated_store_price IS 'core.store_price with the keys and instants that have an index: for the export since a cursor. Others read core.store_price.';

CREATE VIEW core.store_price AS
SELECT retailer, store_id, sku, product_id, barcode, contested_barcode, name, brand, size,
       price_cents, was_price_cents, price_basis, unit_price, unit_of_measure, multi_buy_quantity, multi_buy_cents,
       is_on_special, is_available, is_listed, delisted_at, is_current, observed_at, changed_at,
       source, anchor_store_id, is_confirmed
  FROM core.dated_store_price;
COMMENT ON VIEW core.store_price IS 'Public contract: one row per store and SKU with its newest price, observed there or inferred from the anchor of its group. Delisted rows and those no longer inferred stay, marked. changed_at serves as a cursor for incremental readers.';
COMMENT ON COLUMN core.store_price.retailer IS 'Retailer slug.';
COMMENT ON COLUMN core.store_price.store_id IS 'The retailer''s store id.';
COMMENT ON COLUMN core.store_price.sku IS 'The retailer''s product number.';
COMMENT ON COLUMN core.store_price.product_id IS 'The product, the same for all retailers.';
COMMENT ON COLUMN core.store_price.barcode IS 'The product''s primary GTIN-14.';
COMMENT ON COLUMN core.store_price.contested_barcode IS 'The GTIN-14 that the retailer claims and the catalogue does not accept: see ops.barcode_conflict.';
COMMENT ON COLUMN core.store_price.name IS 'The retailer''s newest name.';
COMMENT ON COLUMN core.store_price.brand IS 'The retailer''s newest brand.';
COMMENT ON COLUMN core.store_price.size IS 'The retailer''s newest size text.';
COMMENT ON COLUMN core.store_price.price_cents IS 'Shelf price of one price_basis in cents, tax included. Null, as all about the price, of a row that is inferred no longer and was never observed.';
COMMENT ON COLUMN core.store_price.price_basis IS 'What one pays the price for: each (an item; of a weighed product an average piece), kg, L or m. Compare prices of different basis by unit_price only.';
COMMENT ON COLUMN core.store_price.multi_buy_quantity IS 'Items of a multi-buy offer; null without one.';
COMMENT ON COLUMN core.store_price.multi_buy_cents IS 'Price of multi_buy_quantity items together, in cents.';
COMMENT ON COLUMN core.store_price.was_price_cents IS 'Price before the special, in cents.';
COMMENT ON COLUMN core.store_price.unit_price IS 'Dollars per unit_of_measure.';
COMMENT ON COLUMN core.store_price.unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN core.store_price.is_on_special IS 'On special when last seen.';
COMMENT ON COLUMN core.store_price.is_available IS 'False: listed without a price when last seen.';
COMMENT ON COLUMN core.store_price.is_listed IS 'False: not, or no longer, listed by the store; or no longer inferred.';
COMMENT ON COLUMN core.store_price.delisted_at IS 'When it was delisted, or last inferred.';
COMMENT ON COLUMN core.store_price.is_current IS 'Listed and observed less than AISLEFLOW_CURRENT_HOURS ago; an inferred price also in the present price week: from an anchor without current prices nothing current is inferred.';
COMMENT ON COLUMN core.store_price.observed_at IS 'When the price was last observed, refreshed by every complete store-day that lists it; an inferred one in the anchor''s store.';
COMMENT ON COLUMN core.store_price.changed_at IS 'When a value last changed in this warehouse, of the price, of the SKU, or by the store''s group: also when a row becomes inferred or observed. observed_at and is_current alone are no change.';
COMMENT ON COLUMN core.store_price.source IS 'observed, or inferred from the anchor of the store''s group.';
COMMENT ON COLUMN core.store_price.anchor_store_id IS 'Store whose crawl the price comes from: of an inferred one the anchor, else the store itself. Null of a row that is inferred no longer.';
COMMENT ON COLUMN core.store_price.is_confirmed IS 'False: the store was never found by discovery, or an inferred price waits for verification: the store has not been compared with this anchor, or another one left the group since.';

DO $$
DECLARE
    same record;
BEGIN
    FOR same IN SELECT inner_one.attrelid::regclass AS view, inner_one.attname AS name, coalesce(col_description(shown.attrelid, shown.attnum), col_description(served.attrelid, served.attnum)) AS meaning
                  FROM pg_attribute AS inner_one
                  LEFT JOIN pg_attribute AS shown ON shown.attrelid = 'core.store_price'::regclass AND shown.attname = inner_one.attname
                  LEFT JOIN pg_attribute AS served ON served.attrelid = 'core.served_price'::regclass AND served.attname = inner_one.attname
                 WHERE inner_one.attrelid IN ('core.served_price'::regclass, 'core.dated_store_price'::regclass) AND col_description(inner_one.attrelid, inner_one.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', same.view, same.name, same.meaning);
    END LOOP;
END
$$;

CREATE VIEW core.product_price AS
SELECT DISTINCT ON (product_id, retailer, store_id) product_id, retailer, store_id, sku, price_cents, was_price_cents,
       price_basis, unit_price, unit_of_measure, multi_buy_quantity, multi_buy_cents, is_on_special, is_available, is_current, observed_at, source
  FROM core.store_price
 WHERE is_listed
 ORDER BY product_id, retailer, store_id, is_available DESC, observed_at DESC, price_cents, sku;
COMMENT ON VIEW core.product_price IS 'Exactly one listed price per product and store: an available one before one that is not, then the newest, then the lowest.';
COMMENT ON COLUMN core.product_price.product_id IS 'The product.';
COMMENT ON COLUMN core.product_price.retailer IS 'Retailer slug.';
COMMENT ON COLUMN core.product_price.store_id IS 'The retailer''s store id.';
COMMENT ON COLUMN core.product_price.sku IS 'The SKU of the price.';
COMMENT ON COLUMN core.product_price.price_cents IS 'Shelf price in cents.';
COMMENT ON COLUMN core.product_price.was_price_cents IS 'Price before the special, in cents.';
COMMENT ON COLUMN core.product_price.price_basis IS 'What one pays the price for: each, kg, L or m.';
COMMENT ON COLUMN core.product_price.multi_buy_quantity IS 'Items of a multi-buy offer; null without one.';
COMMENT ON COLUMN core.product_price.multi_buy_cents IS 'Price of multi_buy_quantity items together, in cents.';
COMMENT ON COLUMN core.product_price.unit_price IS 'Dollars per unit_of_measure.';
COMMENT ON COLUMN core.product_price.unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN core.product_price.is_on_special IS 'On special when last seen.';
COMMENT ON COLUMN core.product_price.is_available IS 'Had a price when last seen.';
COMMENT ON COLUMN core.product_price.is_current IS 'Observed recently enough.';
COMMENT ON COLUMN core.product_price.observed_at IS 'When it was last observed.';
COMMENT ON COLUMN core.product_price.source IS 'observed, or inferred from the anchor of the store''s group.';

CREATE VIEW ops.quality_result AS
SELECT file.retailer, file.night, file.store_id, result.file_id, file.state, result.scope, result.rule_id, result.severity, result.is_passed,
       result.severity = 'critical' AND NOT result.is_passed AND file.state = 'held' AS is_holding,
       result.checked, result.failed, result.detail, result.check_id, result.checked_at
  FROM ops.data_quality_result AS result
  JOIN ops.staged_file AS file USING (file_id);
COMMENT ON VIEW ops.quality_result IS 'Check results with retailer, night and store, for operators. One row per (file, rule); of row rules only the broken ones.';
COMMENT ON COLUMN ops.quality_result.retailer IS 'The retailer.';
COMMENT ON COLUMN ops.quality_result.night IS 'Night of the store-day.';
COMMENT ON COLUMN ops.quality_result.store_id IS 'The store.';
COMMENT ON COLUMN ops.quality_result.file_id IS 'The staged file.';
COMMENT ON COLUMN ops.quality_result.state IS 'State of the file (ops.staged_file.state).';
COMMENT ON COLUMN ops.quality_result.scope IS 'row, store_day or retailer.';
COMMENT ON COLUMN ops.quality_result.rule_id IS 'The rule (docs/quality.md).';
COMMENT ON COLUMN ops.quality_result.severity IS 'critical, refuse or warning.';
COMMENT ON COLUMN ops.quality_result.is_passed IS 'False: the rule is broken.';
COMMENT ON COLUMN ops.quality_result.is_holding IS 'True: this result holds the file now.';
COMMENT ON COLUMN ops.quality_result.checked IS 'Lines, prices or store-days checked.';
COMMENT ON COLUMN ops.quality_result.failed IS 'Those of them that break the rule.';
COMMENT ON COLUMN ops.quality_result.detail IS 'Found and expected values.';
COMMENT ON COLUMN ops.quality_result.check_id IS 'The check (ops.quality_check).';
COMMENT ON COLUMN ops.quality_result.checked_at IS 'When.';

-- readers ---------------------------------------------------------------------------------------------------------------

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aisleflow_reader') THEN
        CREATE ROLE aisleflow_reader NOLOGIN;
    END IF;
END
$$;
GRANT USAGE ON SCHEMA core, ops TO aisleflow_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA core, ops TO aisleflow_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA core, ops GRANT SELECT ON TABLES TO aisleflow_reader;

-- The warehouse: catalogue and prices (core), working rows (staging), books of the flows (ops).
--
-- Called by   include/warehouse/migrations.py, revision 0001, in one transaction
-- Run again   never: Alembic's version table remembers; forward only

CREATE SCHEMA core;
CREATE SCHEMA staging;
CREATE SCHEMA ops;
COMMENT ON SCHEMA core IS 'What readers ask for: products, stores and the newest price of every SKU in every store.';
COMMENT ON SCHEMA staging IS 'Rows on their way in. Unlogged: rebuilt from the staged file at any time.';
COMMENT ON SCHEMA ops IS 'The books: what became of every file, every refused line, every check and every decision.';

CREATE FUNCTION core.clock() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN coalesce(nullif(current_setting('aisleflow.now', true), '')::timestamptz, now());
COMMENT ON FUNCTION core.clock() IS 'The one clock for views: the session setting aisleflow.now where a connection of ours set it, else the server''s time.';

-- core -------------------------------------------------------------------------------------------------------------

CREATE TABLE core.retailer (
    retailer text PRIMARY KEY,
    name     text NOT NULL
);
COMMENT ON TABLE core.retailer IS 'The supermarket chains (include/retailer_names.py). One row per retailer.';
COMMENT ON COLUMN core.retailer.retailer IS 'Lower-case slug used everywhere: coles, woolworths, aldi, iga.';
COMMENT ON COLUMN core.retailer.name IS 'As the chain writes itself.';

CREATE TABLE core.store (
    store_key        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer         text NOT NULL REFERENCES core.retailer,
    store_id         text NOT NULL,
    online_store_id  text,
    name             text,
    state            text,
    is_confirmed     boolean NOT NULL DEFAULT false,
    complete_at      timestamptz,
    complete_file_id bigint,
    first_seen_at    timestamptz NOT NULL,
    UNIQUE (retailer, store_id)
);
COMMENT ON TABLE core.store IS 'One shop of a retailer. One row per (retailer, store_id).';
COMMENT ON COLUMN core.store.store_key IS 'Surrogate key used by core.price.';
COMMENT ON COLUMN core.store.retailer IS 'Retailer slug.';
COMMENT ON COLUMN core.store.store_id IS 'The retailer''s own id (COL:401, 1147, G102, 21981); unique only with the retailer.';
COMMENT ON COLUMN core.store.online_store_id IS 'Id of the web shop where it differs (IGA''s web shop, Coles'' REST form).';
COMMENT ON COLUMN core.store.name IS 'Newest known name. A second sighting never replaces it by nothing.';
COMMENT ON COLUMN core.store.state IS 'Upper-case state (NSW …); decides the store''s time zone and price week.';
COMMENT ON COLUMN core.store.is_confirmed IS 'Found by store discovery. False: known only from a staged file, prices are published and marked.';
COMMENT ON COLUMN core.store.complete_at IS 'The watermark: instant of the newest complete store-day published. Listed prices that follow the store were observed then.';
COMMENT ON COLUMN core.store.complete_file_id IS 'The staged file of that store-day; breaks ties of equal instants (the later registration wins).';
COMMENT ON COLUMN core.store.first_seen_at IS 'When this warehouse first heard of the store.';

CREATE TABLE core.brand (
    brand_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    folded   text NOT NULL UNIQUE CHECK (folded <> ''),
    name     text NOT NULL
);
COMMENT ON TABLE core.brand IS 'Brands as met in offers. One row per folded spelling.';
COMMENT ON COLUMN core.brand.brand_id IS 'Surrogate key.';
COMMENT ON COLUMN core.brand.folded IS 'Spelling folded by include/wording/brand.py; never empty.';
COMMENT ON COLUMN core.brand.name IS 'First spelling met; never changed by a later one.';

CREATE TABLE core.product (
    product_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL,
    brand_id      integer REFERENCES core.brand,
    size          text,
    size_quantity numeric,
    size_unit     text CHECK (size_unit IN ('g', 'ml', 'm', 'ea')),
    own_label_of  text REFERENCES core.retailer,
    image_url     text,
    created_at    timestamptz NOT NULL
);
COMMENT ON TABLE core.product IS 'What a shopper would call the same article, whatever the retailer. One row per product; never deleted, a merged one has no SKU left.';
COMMENT ON COLUMN core.product.product_id IS 'Surrogate key.';
COMMENT ON COLUMN core.product.name IS 'Name of the first SKU; never changed by a later sighting.';
COMMENT ON COLUMN core.product.brand_id IS 'Brand of the first SKU that had one; filled when empty, never overwritten.';
COMMENT ON COLUMN core.product.size IS 'Size text of the first SKU that had one; filled when empty, never overwritten.';
COMMENT ON COLUMN core.product.size_quantity IS 'Parsed total size in size_unit; two sizes more than 1 percent apart veto a join.';
COMMENT ON COLUMN core.product.size_unit IS 'g, ml, m or ea (a count).';
COMMENT ON COLUMN core.product.own_label_of IS 'Retailer whose private label this is: never the same product as another retailer''s.';
COMMENT ON COLUMN core.product.image_url IS 'Filled when empty, never overwritten.';
COMMENT ON COLUMN core.product.created_at IS 'When the product was first published.';

CREATE TABLE core.product_barcode (
    gtin          text PRIMARY KEY CHECK (gtin ~ '^[0-9]{14}$'),
    product_id    bigint NOT NULL REFERENCES core.product,
    is_primary    boolean NOT NULL,
    first_seen_at timestamptz NOT NULL
);
CREATE INDEX product_barcode_product ON core.product_barcode (product_id);
CREATE UNIQUE INDEX product_barcode_one_primary ON core.product_barcode (product_id) WHERE is_primary;
COMMENT ON TABLE core.product_barcode IS 'Barcodes of products. One row per GTIN: a barcode belongs to one product, a product may carry several.';
COMMENT ON COLUMN core.product_barcode.gtin IS 'GTIN-14, zero padded, check digit verified. In-store codes never stand here.';
COMMENT ON COLUMN core.product_barcode.product_id IS 'The product it identifies.';
COMMENT ON COLUMN core.product_barcode.is_primary IS 'Exactly one per product: the first learned.';
COMMENT ON COLUMN core.product_barcode.first_seen_at IS 'When it was learned.';

CREATE TABLE core.product_alias (
    product_key  text NOT NULL CHECK (product_key <> ''),
    product_id   bigint NOT NULL REFERENCES core.product,
    rule_version integer NOT NULL,
    PRIMARY KEY (product_key, product_id)
);
CREATE INDEX product_alias_product ON core.product_alias (product_id);
COMMENT ON TABLE core.product_alias IS 'Product keys that lead to a product. One row per (key, product); a key that hits two products joins nothing.';
COMMENT ON COLUMN core.product_alias.product_key IS 'Pure function of name, brand and size (include/wording/product_key.py).';
COMMENT ON COLUMN core.product_alias.product_id IS 'The product it leads to.';
COMMENT ON COLUMN core.product_alias.rule_version IS 'Version of the rule that made the key.';

CREATE TABLE core.sku (
    sku_key      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer     text NOT NULL REFERENCES core.retailer,
    sku          text NOT NULL,
    product_id   bigint NOT NULL REFERENCES core.product,
    name         text NOT NULL,
    brand        text,
    size         text,
    category     text,
    url          text,
    image_url    text,
    gtin         text,
    joined_by    text NOT NULL,
    match_evidence   jsonb NOT NULL DEFAULT '{}',
    joined_at    timestamptz NOT NULL,
    UNIQUE (retailer, sku)
);
CREATE INDEX sku_product ON core.sku (product_id);
COMMENT ON TABLE core.sku IS 'A retailer''s own product numbers and the product each belongs to. One row per (retailer, SKU). A merge of products is an update of product_id here.';
COMMENT ON COLUMN core.sku.sku_key IS 'Surrogate key used by core.price.';
COMMENT ON COLUMN core.sku.retailer IS 'Retailer slug.';
COMMENT ON COLUMN core.sku.sku IS 'The retailer''s product number, text, zero padding kept.';
COMMENT ON COLUMN core.sku.product_id IS 'The product this SKU is.';
COMMENT ON COLUMN core.sku.name IS 'Newest name the retailer gave it.';
COMMENT ON COLUMN core.sku.brand IS 'Newest brand the retailer gave it; never replaced by nothing.';
COMMENT ON COLUMN core.sku.size IS 'Newest size text the retailer gave it; never replaced by nothing.';
COMMENT ON COLUMN core.sku.category IS 'Newest category path, from the top, parted by '' > ''; never replaced by nothing.';
COMMENT ON COLUMN core.sku.url IS 'Newest product page; never replaced by nothing.';
COMMENT ON COLUMN core.sku.image_url IS 'Newest image; never replaced by nothing.';
COMMENT ON COLUMN core.sku.gtin IS 'First usable barcode the retailer gave it (GTIN-14); never replaced by nothing.';
COMMENT ON COLUMN core.sku.joined_by IS 'What joined it to its product: barcode, key, new, score or a person''s name.';
COMMENT ON COLUMN core.sku.match_evidence IS 'The evidence: barcode, key and rule version, score.';
COMMENT ON COLUMN core.sku.joined_at IS 'When it was joined.';

CREATE TABLE core.price (
    store_key       integer NOT NULL REFERENCES core.store,
    sku_key         integer NOT NULL REFERENCES core.sku,
    price_cents     integer NOT NULL CHECK (price_cents > 0 AND price_cents <= 2000000),
    was_price_cents integer CHECK (was_price_cents > 0),
    unit_price      numeric(12, 4),
    unit_of_measure text CHECK (unit_of_measure IN ('kg', 'L', 'm', 'each')),
    is_on_special   boolean NOT NULL,
    is_available    boolean NOT NULL,
    is_listed       boolean NOT NULL,
    uses_store_watermark   boolean NOT NULL,
    delisted_at     timestamptz,
    observed_at     timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    file_id         bigint NOT NULL,
    PRIMARY KEY (store_key, sku_key),
    CHECK (is_listed = (delisted_at IS NULL))
);
CREATE INDEX price_sku ON core.price (sku_key);
CREATE INDEX price_changed ON core.price (changed_at);
COMMENT ON TABLE core.price IS 'The newest known price of one SKU in one store. Observed is not changed: an unchanged night writes no row here.';
COMMENT ON COLUMN core.price.store_key IS 'The store.';
COMMENT ON COLUMN core.price.sku_key IS 'The SKU.';
COMMENT ON COLUMN core.price.price_cents IS 'Shelf price in cents, tax included; the last known one while unavailable.';
COMMENT ON COLUMN core.price.was_price_cents IS 'Price before the special, in cents; null without one.';
COMMENT ON COLUMN core.price.unit_price IS 'Dollars per unit_of_measure, recomputed from the retailer''s unit price text.';
COMMENT ON COLUMN core.price.unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN core.price.is_on_special IS 'On special when last seen.';
COMMENT ON COLUMN core.price.is_available IS 'False: listed without a price when last seen; price_cents is the last known one.';
COMMENT ON COLUMN core.price.is_listed IS 'In the store''s newest complete store-day, or seen since.';
COMMENT ON COLUMN core.price.uses_store_watermark IS 'True: observed at the later of observed_at and the store''s complete_at. False: at observed_at only (refused since, or delisted).';
COMMENT ON COLUMN core.price.delisted_at IS 'Instant of the complete store-day that no longer listed it.';
COMMENT ON COLUMN core.price.observed_at IS 'Own observation: when this row was last written by a store-day. Read core.store_price.observed_at for the effective one.';
COMMENT ON COLUMN core.price.changed_at IS 'When a value last changed here (publishing time): a cursor for incremental readers.';
COMMENT ON COLUMN core.price.file_id IS 'The staged file that last wrote this row (ops.staged_file).';

-- staging ----------------------------------------------------------------------------------------------------------

CREATE UNLOGGED TABLE staging.offer (
    file_id         bigint NOT NULL,
    line_number     integer NOT NULL,
    retailer        text,
    store_id        text,
    sku             text,
    name            text,
    brand           text,
    size            text,
    url             text,
    image_url       text,
    category        text,
    price           numeric,
    was_price       numeric,
    unit_price      numeric(12, 4),
    unit_of_measure text,
    is_on_special   boolean,
    gtins           text[],
    barcode_note    text,
    observed_at     timestamptz,
    defects         text[],
    is_folded       boolean NOT NULL DEFAULT false,
    is_contradicted boolean NOT NULL DEFAULT false,
    reasons         text[]
) WITH (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 95);
CREATE INDEX offer_line ON staging.offer (file_id, line_number);
COMMENT ON TABLE staging.offer IS 'The offers of store-days being ingested. One row per line of a file. Unlogged: a crash of the server empties it, and loading refills it.';
COMMENT ON COLUMN staging.offer.file_id IS 'The staged file (ops.staged_file).';
COMMENT ON COLUMN staging.offer.line_number IS 'Line in that file, from 1; the raw text is fetched from there when needed.';
COMMENT ON COLUMN staging.offer.retailer IS 'Retailer the line names.';
COMMENT ON COLUMN staging.offer.store_id IS 'Store the line names.';
COMMENT ON COLUMN staging.offer.sku IS 'The retailer''s product number as text.';
COMMENT ON COLUMN staging.offer.name IS 'Cleaned name.';
COMMENT ON COLUMN staging.offer.brand IS 'Cleaned brand.';
COMMENT ON COLUMN staging.offer.size IS 'Cleaned size text.';
COMMENT ON COLUMN staging.offer.url IS 'Product page.';
COMMENT ON COLUMN staging.offer.image_url IS 'Image address.';
COMMENT ON COLUMN staging.offer.category IS 'Category path from the top, parted by '' > ''.';
COMMENT ON COLUMN staging.offer.price IS 'price_current in dollars, exactly as written; null = unavailable, or unreadable (see defects).';
COMMENT ON COLUMN staging.offer.was_price IS 'price_was in dollars, exactly as written.';
COMMENT ON COLUMN staging.offer.unit_price IS 'Dollars per unit_of_measure, from the unit price text.';
COMMENT ON COLUMN staging.offer.unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN staging.offer.is_on_special IS 'As the line says.';
COMMENT ON COLUMN staging.offer.gtins IS 'Usable barcodes as GTIN-14, in the order given; null = none.';
COMMENT ON COLUMN staging.offer.barcode_note IS 'Why a barcode was dropped: the offer is kept.';
COMMENT ON COLUMN staging.offer.observed_at IS 'The line''s own instant.';
COMMENT ON COLUMN staging.offer.defects IS 'What the reader noticed and SQL cannot see any more (not JSON, not a number …): input of the rule catalogue.';
COMMENT ON COLUMN staging.offer.is_folded IS 'An identical double of an earlier line of this SKU.';
COMMENT ON COLUMN staging.offer.is_contradicted IS 'Another line of this SKU in this file says something else.';
COMMENT ON COLUMN staging.offer.reasons IS 'Rule ids that refuse this line; null = none. Written by the check.';

CREATE UNLOGGED TABLE staging.loaded_file (
    file_id bigint PRIMARY KEY
);
COMMENT ON TABLE staging.loaded_file IS 'Files whose rows stand in staging.offer. Unlogged like it, so both are emptied together and a missing mark means: load again.';
COMMENT ON COLUMN staging.loaded_file.file_id IS 'The staged file (ops.staged_file).';

-- ops --------------------------------------------------------------------------------------------------------------

CREATE TABLE ops.staged_file (
    file_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    retailer         text NOT NULL,
    store_id         text NOT NULL,
    night            date NOT NULL,
    run_key          text NOT NULL,
    content_hash     text NOT NULL,
    state            text NOT NULL CHECK (state IN ('waiting', 'loaded', 'held', 'published', 'superseded', 'refused', 'discarded')),
    stage            text NOT NULL,
    state_reason     text,
    observed_at      timestamptz NOT NULL,
    last_observed_at timestamptz NOT NULL,
    rows             integer NOT NULL,
    is_complete      boolean,
    completeness_reason  text,
    manifest         jsonb NOT NULL,
    statistics       jsonb,
    check_version    text,
    decided_by      text,
    decision_reason     text,
    quarantined      integer,
    folded           integer,
    unavailable      integer,
    created          integer,
    updated          integer,
    unchanged        integer,
    outdated         integer,
    delisted         integer,
    registered_at    timestamptz NOT NULL,
    loaded_at        timestamptz,
    checked_at       timestamptz,
    published_at     timestamptz,
    UNIQUE (retailer, store_id, run_key, content_hash)
);
CREATE INDEX staged_file_open ON ops.staged_file (retailer, state) WHERE state IN ('waiting', 'loaded', 'held');
CREATE INDEX staged_file_store ON ops.staged_file (retailer, store_id, observed_at);
COMMENT ON TABLE ops.staged_file IS 'The ledger: what became of every staged file. One row per (retailer, store, run key, content).';
COMMENT ON COLUMN ops.staged_file.file_id IS 'Order of registration: of two equal instants the later registration wins.';
COMMENT ON COLUMN ops.staged_file.retailer IS 'Retailer slug, or unknown for a refused file that names none.';
COMMENT ON COLUMN ops.staged_file.store_id IS 'Store id, or unknown for a refused file that names none.';
COMMENT ON COLUMN ops.staged_file.night IS 'Melbourne date of the crawl run; never changes.';
COMMENT ON COLUMN ops.staged_file.run_key IS 'Identifies DAG run and store: a re-run supersedes its own file and no other.';
COMMENT ON COLUMN ops.staged_file.content_hash IS 'SHA-256 of the uncompressed lines.';
COMMENT ON COLUMN ops.staged_file.state IS 'waiting, loaded, held, published, superseded, refused or discarded.';
COMMENT ON COLUMN ops.staged_file.stage IS 'Folder of the storage root in which the file stands (or is being moved to).';
COMMENT ON COLUMN ops.staged_file.state_reason IS 'Why it is held, refused, superseded or discarded, for a person.';
COMMENT ON COLUMN ops.staged_file.observed_at IS 'The store-day''s instant: its earliest line.';
COMMENT ON COLUMN ops.staged_file.last_observed_at IS 'Its latest line.';
COMMENT ON COLUMN ops.staged_file.rows IS 'Lines in the file.';
COMMENT ON COLUMN ops.staged_file.is_complete IS 'Every expected category was finished; null until judged.';
COMMENT ON COLUMN ops.staged_file.completeness_reason IS 'How completeness was decided, for a person.';
COMMENT ON COLUMN ops.staged_file.manifest IS 'The manifest as staged.';
COMMENT ON COLUMN ops.staged_file.statistics IS 'Rows per top category and filled values per field, for the store-level rules of later nights.';
COMMENT ON COLUMN ops.staged_file.check_version IS 'Version of the rule catalogue that checked it.';
COMMENT ON COLUMN ops.staged_file.decided_by IS 'Who released or discarded it after it was held.';
COMMENT ON COLUMN ops.staged_file.decision_reason IS 'The reason that person gave.';
COMMENT ON COLUMN ops.staged_file.quarantined IS 'Lines refused.';
COMMENT ON COLUMN ops.staged_file.folded IS 'Identical doubles folded into their first line.';
COMMENT ON COLUMN ops.staged_file.unavailable IS 'Lines without a price: counted apart, the last price stays.';
COMMENT ON COLUMN ops.staged_file.created IS 'Price rows created.';
COMMENT ON COLUMN ops.staged_file.updated IS 'Price rows changed.';
COMMENT ON COLUMN ops.staged_file.unchanged IS 'Prices that were as known.';
COMMENT ON COLUMN ops.staged_file.outdated IS 'Lines whose price row already had a newer observation.';
COMMENT ON COLUMN ops.staged_file.delisted IS 'Price rows this complete store-day no longer lists.';
COMMENT ON COLUMN ops.staged_file.registered_at IS 'When the ledger first saw it.';
COMMENT ON COLUMN ops.staged_file.loaded_at IS 'When it was last loaded into staging.offer.';
COMMENT ON COLUMN ops.staged_file.checked_at IS 'When it was last checked.';
COMMENT ON COLUMN ops.staged_file.published_at IS 'When it was published.';

CREATE TABLE ops.quarantined_offer (
    file_id        bigint NOT NULL REFERENCES ops.staged_file,
    line_number    integer NOT NULL,
    retailer       text NOT NULL,
    store_id       text NOT NULL,
    sku            text,
    reasons        text[] NOT NULL,
    raw_text       text,
    state          text NOT NULL DEFAULT 'quarantined' CHECK (state IN ('quarantined', 'released', 'discarded')),
    decided_by     text,
    decision_reason    text,
    decided_at     timestamptz,
    quarantined_at timestamptz NOT NULL,
    PRIMARY KEY (file_id, line_number)
);
COMMENT ON TABLE ops.quarantined_offer IS 'Refused lines with all their reasons: never a silent drop. One row per refused line of a published file.';
COMMENT ON COLUMN ops.quarantined_offer.file_id IS 'The staged file.';
COMMENT ON COLUMN ops.quarantined_offer.line_number IS 'Line in that file, from 1.';
COMMENT ON COLUMN ops.quarantined_offer.retailer IS 'Retailer of the file.';
COMMENT ON COLUMN ops.quarantined_offer.store_id IS 'Store of the file.';
COMMENT ON COLUMN ops.quarantined_offer.sku IS 'SKU, where the line has a readable one.';
COMMENT ON COLUMN ops.quarantined_offer.reasons IS 'Ids of every rule the line breaks (include/model/rules.py).';
COMMENT ON COLUMN ops.quarantined_offer.raw_text IS 'The line as it stands in the file (cut at 20,000 characters; bytes that are not UTF-8 are shown as U+FFFD).';
COMMENT ON COLUMN ops.quarantined_offer.state IS 'quarantined, released or discarded.';
COMMENT ON COLUMN ops.quarantined_offer.decided_by IS 'Who decided.';
COMMENT ON COLUMN ops.quarantined_offer.decision_reason IS 'The reason given.';
COMMENT ON COLUMN ops.quarantined_offer.decided_at IS 'When it was decided.';
COMMENT ON COLUMN ops.quarantined_offer.quarantined_at IS 'When it was refused.';

CREATE TABLE ops.data_quality_result (
    file_id      bigint NOT NULL REFERENCES ops.staged_file,
    rule_id      text NOT NULL,
    scope        text NOT NULL CHECK (scope IN ('row', 'store_day')),
    severity     text NOT NULL CHECK (severity IN ('critical', 'refuse', 'warning')),
    is_passed    boolean NOT NULL,
    checked      integer NOT NULL,
    failed       integer NOT NULL,
    detail       text,
    checked_at   timestamptz NOT NULL,
    PRIMARY KEY (file_id, rule_id)
);
COMMENT ON TABLE ops.data_quality_result IS 'Result of every rule that found something, and of every store-level rule, per store-day. One row per (file, rule).';
COMMENT ON COLUMN ops.data_quality_result.file_id IS 'The staged file.';
COMMENT ON COLUMN ops.data_quality_result.rule_id IS 'The rule (include/model/rules.py).';
COMMENT ON COLUMN ops.data_quality_result.scope IS 'row: judges single lines; store_day: judges the file.';
COMMENT ON COLUMN ops.data_quality_result.severity IS 'critical holds the store-day, refuse quarantines the line, warning tells a person.';
COMMENT ON COLUMN ops.data_quality_result.is_passed IS 'False: the rule found something.';
COMMENT ON COLUMN ops.data_quality_result.checked IS 'Lines looked at.';
COMMENT ON COLUMN ops.data_quality_result.failed IS 'Lines that break the rule.';
COMMENT ON COLUMN ops.data_quality_result.detail IS 'What was found against what was expected, for a person.';
COMMENT ON COLUMN ops.data_quality_result.checked_at IS 'When.';

CREATE TABLE ops.match_proposal (
    left_product_id  bigint NOT NULL REFERENCES core.product,
    right_product_id bigint NOT NULL REFERENCES core.product,
    reason           text NOT NULL,
    evidence         jsonb NOT NULL,
    state            text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'accepted', 'rejected')),
    proposed_at      timestamptz NOT NULL,
    PRIMARY KEY (left_product_id, right_product_id),
    CHECK (left_product_id < right_product_id)
);
COMMENT ON TABLE ops.match_proposal IS 'Pairs of products that may be one and wait for a person. One row per pair; a rejected pair is never proposed again.';
COMMENT ON COLUMN ops.match_proposal.left_product_id IS 'The older product.';
COMMENT ON COLUMN ops.match_proposal.right_product_id IS 'The newer product.';
COMMENT ON COLUMN ops.match_proposal.reason IS 'key_hits_several, same_retailer_text or key_but_other_barcode.';
COMMENT ON COLUMN ops.match_proposal.evidence IS 'The key or barcodes, and the SKU that raised it.';
COMMENT ON COLUMN ops.match_proposal.state IS 'waiting, accepted or rejected.';
COMMENT ON COLUMN ops.match_proposal.proposed_at IS 'When it was first proposed.';

CREATE TABLE ops.barcode_conflict (
    retailer         text NOT NULL,
    sku              text NOT NULL,
    gtin             text NOT NULL,
    product_id       bigint NOT NULL REFERENCES core.product,
    owner_product_id bigint REFERENCES core.product,
    reason           text NOT NULL,
    file_id          bigint NOT NULL,
    detected_at       timestamptz NOT NULL,
    PRIMARY KEY (retailer, sku, gtin)
);
COMMENT ON TABLE ops.barcode_conflict IS 'Barcodes that were seen and not applied because they contradict what is known. One row per (SKU, barcode).';
COMMENT ON COLUMN ops.barcode_conflict.retailer IS 'Retailer slug.';
COMMENT ON COLUMN ops.barcode_conflict.sku IS 'The SKU that was seen with the barcode.';
COMMENT ON COLUMN ops.barcode_conflict.gtin IS 'The barcode (GTIN-14).';
COMMENT ON COLUMN ops.barcode_conflict.product_id IS 'The product the SKU belongs to.';
COMMENT ON COLUMN ops.barcode_conflict.owner_product_id IS 'The product that owns the barcode, if any.';
COMMENT ON COLUMN ops.barcode_conflict.reason IS 'other_barcode, size or own_label.';
COMMENT ON COLUMN ops.barcode_conflict.file_id IS 'The staged file that brought it.';
COMMENT ON COLUMN ops.barcode_conflict.detected_at IS 'When it was first noticed.';

CREATE TABLE ops.merge_log (
    merge_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku_key         integer NOT NULL REFERENCES core.sku,
    from_product_id bigint NOT NULL REFERENCES core.product,
    to_product_id   bigint NOT NULL REFERENCES core.product,
    merged_by       text NOT NULL,
    evidence        jsonb NOT NULL,
    merged_at       timestamptz NOT NULL,
    undone_at       timestamptz
);
COMMENT ON TABLE ops.merge_log IS 'Every re-pointing of a SKU from one product to another, with its evidence: what undo needs. One row per SKU moved.';
COMMENT ON COLUMN ops.merge_log.merge_id IS 'Surrogate key.';
COMMENT ON COLUMN ops.merge_log.sku_key IS 'The SKU that moved.';
COMMENT ON COLUMN ops.merge_log.from_product_id IS 'Its product before.';
COMMENT ON COLUMN ops.merge_log.to_product_id IS 'Its product after.';
COMMENT ON COLUMN ops.merge_log.merged_by IS 'barcode, key version, score or a person''s name.';
COMMENT ON COLUMN ops.merge_log.evidence IS 'What the merge rests on.';
COMMENT ON COLUMN ops.merge_log.merged_at IS 'When.';
COMMENT ON COLUMN ops.merge_log.undone_at IS 'When it was undone; null = it stands.';

-- views for readers --------------------------------------------------------------------------------------------------

CREATE VIEW core.store_price AS
SELECT st.retailer, st.store_id, sku.sku, sku.product_id,
       coalesce(sku.gtin, bar.gtin) AS barcode, sku.name, sku.brand, sku.size,
       price.price_cents, price.was_price_cents, price.unit_price, price.unit_of_measure,
       price.is_on_special, price.is_available, price.is_listed, price.delisted_at,
       price.is_listed AND seen.observed_at >= core.clock() - make_interval(hours => coalesce(nullif(current_setting('aisleflow.current_hours', true), '')::integer, 72)) AS is_current,
       seen.observed_at, price.changed_at, 'observed'::text AS source,
       st.store_id AS anchor_store_id, st.is_confirmed
  FROM core.price AS price
  JOIN core.store AS st USING (store_key)
  JOIN core.sku AS sku USING (sku_key)
  LEFT JOIN core.product_barcode AS bar ON bar.product_id = sku.product_id AND bar.is_primary
 CROSS JOIN LATERAL (SELECT CASE WHEN price.uses_store_watermark THEN greatest(price.observed_at, st.complete_at) ELSE price.observed_at END AS observed_at) AS seen;
COMMENT ON VIEW core.store_price IS 'Public contract: one row per store and SKU with its newest price. Delisted rows stay, marked. changed_at serves as a cursor for incremental readers.';
COMMENT ON COLUMN core.store_price.retailer IS 'Retailer slug.';
COMMENT ON COLUMN core.store_price.store_id IS 'The retailer''s store id.';
COMMENT ON COLUMN core.store_price.sku IS 'The retailer''s product number.';
COMMENT ON COLUMN core.store_price.product_id IS 'The product, the same for all retailers.';
COMMENT ON COLUMN core.store_price.barcode IS 'GTIN-14 the retailer gives, else the product''s primary one.';
COMMENT ON COLUMN core.store_price.name IS 'The retailer''s newest name.';
COMMENT ON COLUMN core.store_price.brand IS 'The retailer''s newest brand.';
COMMENT ON COLUMN core.store_price.size IS 'The retailer''s newest size text.';
COMMENT ON COLUMN core.store_price.price_cents IS 'Shelf price in cents, tax included.';
COMMENT ON COLUMN core.store_price.was_price_cents IS 'Price before the special, in cents.';
COMMENT ON COLUMN core.store_price.unit_price IS 'Dollars per unit_of_measure.';
COMMENT ON COLUMN core.store_price.unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN core.store_price.is_on_special IS 'On special when last seen.';
COMMENT ON COLUMN core.store_price.is_available IS 'False: listed without a price when last seen.';
COMMENT ON COLUMN core.store_price.is_listed IS 'False: no longer listed by the store.';
COMMENT ON COLUMN core.store_price.delisted_at IS 'Since when not.';
COMMENT ON COLUMN core.store_price.is_current IS 'Listed and observed less than AISLEFLOW_CURRENT_HOURS ago.';
COMMENT ON COLUMN core.store_price.observed_at IS 'When the price was last observed, refreshed by every complete store-day that lists it.';
COMMENT ON COLUMN core.store_price.changed_at IS 'When a value last changed in this warehouse.';
COMMENT ON COLUMN core.store_price.source IS 'observed, or inferred from the anchor of the store''s group.';
COMMENT ON COLUMN core.store_price.anchor_store_id IS 'Store whose crawl the price comes from; the store itself while it is ungrouped.';
COMMENT ON COLUMN core.store_price.is_confirmed IS 'False: the store was never found by discovery, or an inferred price waits for verification.';

CREATE VIEW core.product_price AS
SELECT DISTINCT ON (product_id, retailer, store_id) product_id, retailer, store_id, sku, price_cents, was_price_cents,
       unit_price, unit_of_measure, is_on_special, is_available, is_current, observed_at
  FROM core.store_price
 WHERE is_listed
 ORDER BY product_id, retailer, store_id, observed_at DESC, price_cents, sku;
COMMENT ON VIEW core.product_price IS 'Exactly one listed price per product and store: the newest, then the lowest.';
COMMENT ON COLUMN core.product_price.product_id IS 'The product.';
COMMENT ON COLUMN core.product_price.retailer IS 'Retailer slug.';
COMMENT ON COLUMN core.product_price.store_id IS 'The retailer''s store id.';
COMMENT ON COLUMN core.product_price.sku IS 'The SKU the price is of.';
COMMENT ON COLUMN core.product_price.price_cents IS 'Shelf price in cents.';
COMMENT ON COLUMN core.product_price.was_price_cents IS 'Price before the special, in cents.';
COMMENT ON COLUMN core.product_price.unit_price IS 'Dollars per unit_of_measure.';
COMMENT ON COLUMN core.product_price.unit_of_measure IS 'kg, L, m or each.';
COMMENT ON COLUMN core.product_price.is_on_special IS 'On special when last seen.';
COMMENT ON COLUMN core.product_price.is_available IS 'Had a price when last seen.';
COMMENT ON COLUMN core.product_price.is_current IS 'Observed recently enough.';
COMMENT ON COLUMN core.product_price.observed_at IS 'When it was last observed.';

-- readers --------------------------------------------------------------------------------------------------------

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

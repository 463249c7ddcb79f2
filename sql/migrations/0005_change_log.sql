-- The optional log of price changes, and the merge rule of every column of the catalogue, stated in its comment.
--
-- Called by   include/warehouse/migrations.py, revision 0005, in one transaction
-- Run again   never: Alembic's version table remembers; forward only

CREATE TABLE core.price_change (
    store_key       integer NOT NULL,
    sku_key         integer NOT NULL,
    changed_at      timestamptz NOT NULL,
    file_id         bigint NOT NULL,
    change_kind            text NOT NULL CHECK (change_kind IN ('created', 'changed', 'unavailable', 'relisted', 'delisted')),
    old_price_cents integer,
    new_price_cents integer,
    observed_at     timestamptz NOT NULL,
    PRIMARY KEY (store_key, sku_key, changed_at, file_id)
) PARTITION BY RANGE (changed_at);
COMMENT ON TABLE core.price_change IS 'Every change of a price, while AISLEFLOW_CHANGE_LOG is on; empty otherwise. One row per price and file that changed it. One partition per month (UTC), made when needed; drop old ones when they are no longer wanted.';
COMMENT ON COLUMN core.price_change.store_key IS 'The store (core.store).';
COMMENT ON COLUMN core.price_change.sku_key IS 'The SKU (core.sku).';
COMMENT ON COLUMN core.price_change.changed_at IS 'When it was published, as in core.price.changed_at; decides the partition.';
COMMENT ON COLUMN core.price_change.file_id IS 'The staged file that brought the change (ops.staged_file).';
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
        -- asked of the table: what to_regclass knows may be from before we waited
        IF NOT EXISTS (SELECT FROM pg_class WHERE relname = part AND relnamespace = 'core'::regnamespace) THEN
            -- attached and not created as a partition: that would wait for everybody who writes to the log
            EXECUTE format('CREATE TABLE core.%I (LIKE core.price_change INCLUDING ALL)', part);
            EXECUTE format('ALTER TABLE core.price_change ATTACH PARTITION core.%I FOR VALUES FROM (%L) TO (%L)',
                           part, first, date_add(first, '1 month', 'UTC'));
            EXECUTE format('COMMENT ON TABLE core.%I IS %L', part, 'Changes of prices published in ' || to_char(first AT TIME ZONE 'UTC', 'YYYY-MM') || ' (UTC).');
        END IF;
    END IF;
    RETURN part;
END
$$;
COMMENT ON FUNCTION core.ensure_price_change_month(timestamptz) IS 'Makes the partition of core.price_change for the month (UTC) of an instant unless it is there, under a lock; returns its name.';

-- The merge rule of a column: what a second sighting of the same brand, product, barcode, key or SKU does to it. Stated here and nowhere else.
-- tests/catalogue/test_merge_rules.py plays a second sighting against each of these comments.
COMMENT ON COLUMN core.brand.brand_id IS 'Surrogate key. Merge rule: never changes.';
COMMENT ON COLUMN core.brand.folded IS 'Spelling folded by include/wording/brand.py; never empty. Merge rule: never changes.';
COMMENT ON COLUMN core.brand.name IS 'First spelling met. Merge rule: never changes.';
COMMENT ON COLUMN core.product.product_id IS 'Surrogate key. Merge rule: never changes.';
COMMENT ON COLUMN core.product.name IS 'Name of the first SKU. Merge rule: never changes.';
COMMENT ON COLUMN core.product.brand_id IS 'Brand of the first SKU that had one. Merge rule: filled when empty.';
COMMENT ON COLUMN core.product.size IS 'Size text of the first SKU that had one. Merge rule: filled when empty.';
COMMENT ON COLUMN core.product.size_quantity IS 'Total of size in size_unit; two sizes more than 1 percent apart veto a join. Merge rule: filled when empty.';
COMMENT ON COLUMN core.product.size_unit IS 'g, ml, m or ea (a count). Merge rule: filled when empty.';
COMMENT ON COLUMN core.product.own_label_of IS 'Retailer whose private label this is: never the same product as another retailer''s. Merge rule: never changes.';
COMMENT ON COLUMN core.product.image_url IS 'Picture of the first SKU that had one. Merge rule: filled when empty.';
COMMENT ON COLUMN core.product.created_at IS 'When the product was first published. Merge rule: never changes.';
COMMENT ON COLUMN core.product_barcode.gtin IS 'GTIN-14, zero padded, check digit verified. In-store codes never stand here. Merge rule: never changes.';
COMMENT ON COLUMN core.product_barcode.product_id IS 'The product it identifies. Merge rule: never changes.';
COMMENT ON COLUMN core.product_barcode.is_primary IS 'Exactly one per product: the first learned. Merge rule: never changes.';
COMMENT ON COLUMN core.product_barcode.first_seen_at IS 'When it was learned. Merge rule: never changes.';
COMMENT ON COLUMN core.product_alias.product_key IS 'Pure function of name, brand and size (include/wording/product_key.py). Merge rule: never changes.';
COMMENT ON COLUMN core.product_alias.product_id IS 'The product it leads to. Merge rule: never changes.';
COMMENT ON COLUMN core.product_alias.rule_version IS 'Version of the rule that made the key. Merge rule: never changes.';
COMMENT ON COLUMN core.sku.sku_key IS 'Surrogate key used by core.price. Merge rule: never changes.';
COMMENT ON COLUMN core.sku.retailer IS 'Retailer slug. Merge rule: never changes.';
COMMENT ON COLUMN core.sku.sku IS 'The retailer''s product number, text, zero padding kept. Merge rule: never changes.';
COMMENT ON COLUMN core.sku.product_id IS 'The product this SKU is. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';
COMMENT ON COLUMN core.sku.name IS 'Name the retailer gave it. Merge rule: newest wins, never replaced by nothing.';
COMMENT ON COLUMN core.sku.brand IS 'Brand the retailer gave it. Merge rule: newest wins, never replaced by nothing.';
COMMENT ON COLUMN core.sku.size IS 'Size text the retailer gave it. Merge rule: newest wins, never replaced by nothing.';
COMMENT ON COLUMN core.sku.category IS 'Category path, from the top, parted by '' > ''. Merge rule: newest wins, never replaced by nothing.';
COMMENT ON COLUMN core.sku.url IS 'Product page. Merge rule: newest wins, never replaced by nothing.';
COMMENT ON COLUMN core.sku.image_url IS 'Picture. Merge rule: newest wins, never replaced by nothing.';
COMMENT ON COLUMN core.sku.gtin IS 'First usable barcode of the line (GTIN-14), as the retailer gave it; what identifies the product stands in core.product_barcode. Merge rule: newest wins, never replaced by nothing.';
COMMENT ON COLUMN core.sku.joined_by IS 'What joined it to its product: barcode, key, new, score or a person''s name. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';
COMMENT ON COLUMN core.sku.match_evidence IS 'The evidence: barcode, key and rule version, score. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';
COMMENT ON COLUMN core.sku.joined_at IS 'When it was joined. Merge rule: moved by evidence (a learned barcode, a merge), never by text.';

"""A database error names every rejected line, nothing of its store-day is written, and the others are published."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import LiteralString, cast

import psycopg
import pytest
from typer.testing import CliRunner

from include.cli.main import app
from include.errors import TerminalError, TransientError
from include.ingestion import pipeline, products
from include.ingestion.isolation import rejected
from include.ingestion.isolation.rejected import RejectedByDatabase
from include.ledger.rejections import list_rejected
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, StoreDays, offer, offers
from tests.warehouse.looking import one, rows

DDL = Callable[..., None]


@pytest.fixture
def by_hand(warehouse: Warehouse) -> Iterator[DDL]:
    """Change the schema manually: ``by_hand(statement, undo)``; undone after the test."""
    to_undo: list[str] = []

    def change(statement: str, undo: str) -> None:
        with psycopg.connect(warehouse.url, autocommit=True) as connection:
            connection.execute(cast(LiteralString, statement))
        to_undo.append(undo)

    def undo_all() -> None:
        with psycopg.connect(warehouse.url, autocommit=True) as connection:
            while to_undo:
                connection.execute(cast(LiteralString, to_undo.pop()))

    change.undo = undo_all  # type: ignore[attr-defined]
    yield change
    undo_all()


def constraint(by_hand: DDL, table: str, name: str, definition: str) -> None:
    by_hand(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}", f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def trigger(by_hand: DDL, table: str, body: str, when: str = "true") -> None:
    by_hand(
        f"CREATE FUNCTION core.by_hand() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN {body}; END IF; RETURN new; END $$",
        "DROP FUNCTION core.by_hand() CASCADE",
    )
    by_hand(f"CREATE TRIGGER by_hand BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION core.by_hand()", "SELECT 1")


def rejection(warehouse: Warehouse, storage: Storage, retailer: str = "aldi") -> str:
    """Ingest, and return the report about rejected lines."""
    with pytest.raises(RejectedByDatabase) as caught:
        pipeline.ingest(warehouse, storage, retailer)
    return str(caught.value)


def published(warehouse: Warehouse) -> dict[str, int]:
    """Return store id → prices."""
    query = "SELECT store_id, count(*) AS prices FROM core.price JOIN core.store USING (store_key) GROUP BY store_id"
    return {row["store_id"]: row["prices"] for row in rows(warehouse, query)}


def test_a_constraint_names_all_rejected_lines_and_the_others_are_published(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL
) -> None:
    bad = store_day(store_id="G1", lines=[*offers(30), offer("dear", 7.77), *offers(30, start=100), offer("dearer", 9.99)])
    worse = store_day(store_id="G2", lines=[*offers(10), offer("dear", 7.77)])
    store_day(store_id="G3", lines=offers(20))
    constraint(by_hand, "core.price", "only_cheap", "CHECK (price_cents < 500)")
    report = rejection(warehouse, storage)
    first, *_ = report.splitlines()
    assert first.startswith("2 store-day(s) are not published") and "line 31, SKU dear: price = 7.77" in first, (
        "the first line names the first rejected line"
    )
    for part in (
        f"{bad.data_path(Stage.OUTBOX)} (file 1, aldi G1 of 2026-11-18): the database rejects 2 line(s) of it in step publish",
        "line 31, SKU dear: price = 7.77: breaks the constraint only_cheap of core.price, CHECK ((price_cents < 500))",
        "line 62, SKU dearer: price = 9.99: breaks the constraint only_cheap",
        f"{worse.data_path(Stage.OUTBOX)} (file 2, aldi G2 of 2026-11-18): the database rejects 1 line(s)",
        "everything else is published",
        "Was the constraint added or changed manually?",
        "clear the task `load`",
    ):
        assert part in report
    assert set(published(warehouse)) == {"G3"}, "nothing of the bad ones, all of the good one"
    assert storage.exists(bad.path(Stage.OUTBOX)) and storage.exists(bad.data_path(Stage.OUTBOX)), "the file stays"
    assert one(warehouse, "SELECT count(*) FROM ops.quarantined_offer") == 0
    by_hand.undo()  # type: ignore[attr-defined]  # the cause is fixed: a clear continues
    pipeline.ingest(warehouse, storage, "aldi")
    assert published(warehouse) == {"G1": 62, "G2": 11, "G3": 20}
    assert one(warehouse, "SELECT count(*) FROM ops.staged_file WHERE state_reason IS NOT NULL") == 0
    assert not storage.exists(bad.path(Stage.OUTBOX))


def test_only_written_rows_are_rejected(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    store_day(at=TUESDAY, lines=[*offers(5), offer("old", 9.0)])
    pipeline.ingest(warehouse, storage, "aldi")
    constraint(by_hand, "core.price", "only_cheap", "CHECK (price_cents < 500) NOT VALID")
    store_day(lines=[*offers(5), offer("old", 9.0), offer("new", 8.0)])
    report = rejection(warehouse, storage)
    assert "rejects 1 line(s)" in report and "SKU new" in report and "SKU old" not in report, (
        "an unchanged row is not written, so it is not rejected"
    )


def test_null_in_a_column_made_not_null(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    by_hand("ALTER TABLE core.sku ALTER COLUMN brand SET NOT NULL", "ALTER TABLE core.sku ALTER COLUMN brand DROP NOT NULL")
    store_day(store_id="G1", lines=[offer("a", brand="Zorbo"), offer("b"), offer("c", brand="Zorbo")])
    store_day(store_id="G2", lines=[offer("a", brand="Zorbo")])
    report = rejection(warehouse, storage)
    assert "rejects 1 line(s) of it in step resolve" in report and "line 2, SKU b: brand = null: core.sku.brand may not be null" in report
    assert published(warehouse) == {"G2": 1}, "one store-day cannot hold the catalogue of the others up"
    assert one(warehouse, "SELECT state FROM ops.staged_file WHERE store_id = 'G1'") == "waiting"


def test_a_foreign_key(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    by_hand("CREATE TABLE core.known_size (size text PRIMARY KEY)", "DROP TABLE core.known_size CASCADE")
    constraint(by_hand, "core.sku", "size_is_known", "FOREIGN KEY (size) REFERENCES core.known_size")
    store_day(lines=[offer("a"), offer("b", size="3 stone")])
    report = rejection(warehouse, storage)
    assert "line 2, SKU b: size = 3 stone: breaks the constraint size_is_known of core.sku, FOREIGN KEY (size)" in report
    assert "is not present in table" in report


def test_lines_that_do_not_go_together(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    constraint(by_hand, "core.price", "one_price_each", "UNIQUE (store_key, price_cents)")
    store_day(lines=[offer(str(number), price) for number, price in enumerate((1.0, 2.0, 3.0, 2.0, 5.0, 1.0), start=1)])
    report = rejection(warehouse, storage)
    assert (
        "rejects 2 line(s)" in report
        and "line 4, SKU 4: store_id = G1, price = 2.0: breaks the constraint one_price_each of core.price, UNIQUE (store_key, price_cents)"
        in report
    )
    assert "line 6" in report and "already exists" in report


def test_a_deferred_constraint_is_checked_at_the_end(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    constraint(by_hand, "core.price", "one_price_each", "UNIQUE (store_key, price_cents) DEFERRABLE INITIALLY DEFERRED")
    store_day(lines=[offer("1", 1.0), offer("2", 2.0), offer("3", 1.0)])
    assert "line 3, SKU 3: store_id = G1, price = 1.0: breaks the constraint one_price_each" in rejection(warehouse, storage)


def test_a_number_out_of_range(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    by_hand("ALTER TABLE core.price ADD COLUMN small smallint GENERATED ALWAYS AS (price_cents::smallint) STORED", "ALTER TABLE core.price DROP COLUMN small")  # fmt: skip
    store_day(lines=[*offers(9), offer("big", 400.0)])
    report = rejection(warehouse, storage)
    assert "line 10, SKU big: price = 400.0: smallint out of range" in report and "have a rule refuse such lines" in report


def test_a_text_too_long_for_its_index(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    by_hand("CREATE INDEX by_hand ON core.sku (url, image_url)", "DROP INDEX core.by_hand")
    rng = random.Random(7)
    long = "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(660))
    store_day(store_id="G1", lines=[*offers(5), offer("long", url=long, image_url=long)])
    store_day(store_id="G2", lines=offers(5))
    report = rejection(warehouse, storage)
    assert "line 6, SKU long" in report and "does not fit the index by_hand of core.sku: index row size" in report
    assert "(660 characters)" in report and len(report) < 4_000, "long values are cut"
    assert set(published(warehouse)) == {"G2"}


@pytest.mark.parametrize("damage", ["\x00", "\ud800"])
def test_text_that_the_database_cannot_store_is_replaced(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    cleaned = products._clean
    monkeypatch.setattr(products, "_kept", {})
    monkeypatch.setattr(products, "_clean", lambda text: f"Thing{damage}" if text == "Bad thing" else cleaned(text))
    store_day(store_id="G1", lines=[*offers(5), offer("bad", name="Bad thing")])
    store_day(store_id="G2", lines=offers(5))
    pipeline.ingest(warehouse, storage, "aldi")
    assert published(warehouse) == {"G1": 6, "G2": 5} and one(warehouse, "SELECT name FROM core.sku WHERE sku = 'bad'") == "Thing\ufffd"


def test_a_constraint_on_staging_is_met_by_loading(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    constraint(by_hand, "staging.offer", "no_tea", "CHECK (name <> 'Tea')")
    store_day(store_id="G1", lines=[offer("a"), offer("b", name="Tea")])
    store_day(store_id="G2", lines=offers(3))
    report = rejection(warehouse, storage)
    assert "in step load" in report and "line 2, SKU b: name = Tea: breaks the constraint no_tea of staging.offer" in report
    assert published(warehouse) == {"G2": 3}


def test_checking_continues_without_a_rejected_store_day(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL
) -> None:
    trigger(by_hand, "staging.offer", "RAISE EXCEPTION 'no reasons, please'", "new.reasons IS NOT NULL")
    store_day(store_id="G1", lines=[offer("a"), offer("bad", -1), offer("c")])
    store_day(store_id="G2", lines=offers(3))
    report = rejection(warehouse, storage)
    assert (
        "rejects 1 line(s) of it in step check" in report
        and "line 2, SKU bad" in report
        and "the trigger function core.by_hand refuses it: no reasons, please" in report
    )
    assert set(published(warehouse)) == {"G2"}


def test_an_added_trigger(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    trigger(by_hand, "core.price", "RAISE EXCEPTION 'ask Kim first'", "new.price_cents = 777")
    store_day(lines=[*offers(20), offer("seven", 7.77)])
    report = rejection(warehouse, storage)
    assert "line 21, SKU seven: name = Thing seven, price = 7.77: the trigger function core.by_hand refuses it: ask Kim first" in report
    assert "Is the trigger function core.by_hand intended?" in report


def test_many_rejected_lines_are_counted_and_twenty_shown(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL, caplog: pytest.LogCaptureFixture
) -> None:
    constraint(by_hand, "core.price", "only_cheap", "CHECK (price_cents < 500)")
    store_day(lines=[*offers(5), *offers(50, price=6.0, start=100)])
    report = rejection(warehouse, storage)
    assert "rejects 50 line(s)" in report and report.count("\n  line ") == 20
    assert all(f"line {number}, SKU" in caplog.text for number in range(6, 56)), "the log names all of them"


def test_the_search_stops_in_time_and_reports_it(
    make_warehouse: Callable[..., Warehouse], storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_warehouse = make_warehouse(error_search_seconds=1)
    ticks = iter(range(10_000))
    monkeypatch.setattr("include.ingestion.isolation.forensics.time.monotonic", lambda: next(ticks) * 0.05)
    with psycopg.connect(other_warehouse.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE core.price ADD CONSTRAINT only_cheap CHECK (price_cents < 500)")
    try:
        store_day(lines=offers(200, price=6.0))
        report = rejection(other_warehouse, storage)
    finally:
        with psycopg.connect(other_warehouse.url, autocommit=True) as connection:
            connection.execute("ALTER TABLE core.price DROP CONSTRAINT only_cheap")
    assert "the search was stopped after" in report and "there may be more" in report


@pytest.mark.parametrize(
    ("code", "step"),
    [
        ("53100", "The disk is full: free space"),
        ("53300", "All connections are in use"),
        ("57014", "AISLEFLOW_STATEMENT_TIMEOUT_SECONDS"),
        ("40P01", "deadlock"),
        ("40001", "Two transactions changed the same rows"),
        ("55P03", "Another session holds a lock"),
        ("08006", "Is the warehouse up?"),
    ],
)
def test_transient_errors_are_retried(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL, code: str, step: str
) -> None:
    trigger(by_hand, "core.price", f"RAISE EXCEPTION 'not now' USING ERRCODE = '{code}'")
    manifest = store_day(lines=offers(3))
    with pytest.raises(TransientError, match=r"publish aldi: the warehouse failed \(not now, code") as caught:
        pipeline.ingest(warehouse, storage, "aldi")
    assert step in str(caught.value)
    assert storage.exists(manifest.path(Stage.OUTBOX)) and list_rejected(warehouse, ["aldi"]) == []


def test_a_real_statement_timeout_is_transient(make_warehouse: Callable[..., Warehouse], storage: Storage, store_day: StoreDays) -> None:
    other_warehouse = make_warehouse(statement_timeout_seconds=1)
    with psycopg.connect(other_warehouse.url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION core.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN new; END $$"
        )
        connection.execute("CREATE TRIGGER slow BEFORE INSERT ON core.price FOR EACH ROW EXECUTE FUNCTION core.slow()")
    try:
        store_day(lines=offers(2))
        with pytest.raises(TransientError, match="AISLEFLOW_STATEMENT_TIMEOUT_SECONDS"):
            pipeline.ingest(other_warehouse, storage, "aldi")
    finally:
        with psycopg.connect(other_warehouse.url, autocommit=True) as connection:
            connection.execute("DROP FUNCTION core.slow() CASCADE")


def test_a_lost_connection_is_transient_and_leaks_no_secret(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL
) -> None:
    trigger(by_hand, "core.price", "PERFORM pg_terminate_backend(pg_backend_pid())")
    store_day(lines=offers(2))
    with pytest.raises(TransientError) as caught:
        pipeline.ingest(warehouse, storage, "aldi")
    assert "password" not in str(caught.value) and warehouse.url not in str(caught.value)


def test_an_unexpected_schema_is_a_terminal_error(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    by_hand("ALTER TABLE core.price RENAME COLUMN was_price_cents TO gone", "ALTER TABLE core.price RENAME COLUMN gone TO was_price_cents")
    store_day(lines=offers(2))
    with pytest.raises(TerminalError, match="aisleflow warehouse migrate"):
        pipeline.ingest(warehouse, storage, "aldi")


def test_a_dry_run_leaves_nothing_behind(warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL) -> None:
    constraint(by_hand, "core.price", "only_cheap", "CHECK (price_cents < 500)")
    store_day(lines=[*offers(5), offer("dear", 6.0), offer("1", 1.0), offer("bad", -1)])
    pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    pipeline.resolve(warehouse, storage, "aldi")
    query = "SELECT line_number, is_folded, reasons FROM staging.offer ORDER BY 1"
    before = rows(warehouse, query)
    assert pipeline.publish(warehouse, storage, "aldi").store_days == 0
    assert rows(warehouse, query) == before
    assert rejected.build_report(warehouse, ["iga"]) is None


def test_the_import_command_prints_the_report_and_fails(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, by_hand: DDL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    monkeypatch.setenv("AISLEFLOW_STORAGE_ROOT", storage.url)
    constraint(by_hand, "core.price", "only_cheap", "CHECK (price_cents < 500)")
    paths = [store_day.file(tmp_path / f"{number}.jsonl", offers(5, price=float(number)), store_id=f"G{number}") for number in (1, 7)]
    done = CliRunner().invoke(app, ["import", *map(str, paths)])
    assert done.exit_code == 1 and published(warehouse) == {"G1": 5}
    assert (
        "error: 1 store-day(s) are not published" in done.stderr
        and "line 5, SKU 5: price = 7.0: breaks the constraint only_cheap" in done.stderr
    )

"""Prices as a file: exactly the view's rows, whole or not at all, and no change lost between two exports."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import fsspec
import psycopg
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from include.cli.main import app
from include.errors import ConfigurationError, TransientError
from include.ingestion import pipeline, release_lines
from include.ingestion import publish as publishing
from include.readers import export
from include.readers.export import COLUMNS, arrow_schema, export_prices
from include.staging.storage import Storage
from include.warehouse import price_changes
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, Line, StoreDays, gtin, offer, offers
from tests.warehouse.looking import one, rows

#: Text that a careless writer of CSV would break.
AWKWARD = [
    offer("001", 12.34, price_was=15, is_on_special=True, name='Say "Aah", twice; ünï ☕', brand="", size=None, barcode=gtin(7), per_unit_price_string="$1.23 per 100g"),
    offer("2", 0.01, name="\\N", brand="null", size="NULL"),
    offer("3", 20000, name="t", brand="true", size=""),
]  # fmt: skip


def the_view(warehouse: Warehouse, where: str = "true") -> list[dict[str, Any]]:
    return sorted(rows(warehouse, f"SELECT {', '.join(COLUMNS)} FROM core.store_price WHERE {where}"), key=key)


def key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["retailer"], row["store_id"], row["sku"]


def read(path: Path) -> list[dict[str, Any]]:
    return sorted(parquet.read_table(path).to_pylist(), key=key)


@pytest.fixture
def some_prices(warehouse: Warehouse, storage: Storage, store_day: StoreDays, fixed_clock: Callable[[str], None]) -> Warehouse:
    """Two retailers; one line went away on Wednesday, one has no price."""
    fixed_clock("2026-11-17T09:00:00.123456+00:00")
    store_day(at=TUESDAY, lines=[*AWKWARD, *offers(4, start=10)])
    store_day("coles", "COL:1", at=TUESDAY, lines=offers(2))
    for retailer in ("aldi", "coles"):
        pipeline.ingest(warehouse, storage, retailer)
    fixed_clock("2026-11-18T09:00:00+00:00")
    store_day(lines=[*AWKWARD, offer("10", 2.5), offer("11", None), offer("12")])
    pipeline.ingest(warehouse, storage, "aldi")
    return warehouse


def test_parquet_holds_exactly_the_rows_of_the_view(some_prices: Warehouse, tmp_path: Path) -> None:
    done = export_prices(some_prices, str(tmp_path / "prices.parquet"))
    expected = the_view(some_prices)
    assert read(tmp_path / "prices.parquet") == expected
    assert (done.rows, done.format) == (len(expected), "parquet") and len(expected) == 9
    table = parquet.read_table(done.target)
    assert table.schema.equals(arrow_schema()) and str(table.schema.field("observed_at").type) == "timestamp[us, tz=UTC]"
    first = next(row for row in expected if row["sku"] == "001")
    assert (first["price_cents"], first["unit_price"], first["changed_at"].microsecond) == (1234, Decimal("12.3000"), 123456)
    assert {(row["is_listed"], row["is_available"]) for row in expected} == {(True, True), (True, False), (False, True)}


def test_csv_has_the_same_rows(some_prices: Warehouse, tmp_path: Path) -> None:
    done = export_prices(some_prices, str(tmp_path / "prices.CSV"))
    assert done.format == "csv"
    with Path(done.target).open(newline="") as file:
        found = sorted(csv.DictReader(file), key=key)

    def as_text(value: Any) -> str:
        return {True: "true", False: "false", None: ""}[value] if value is None or isinstance(value, bool) else str(value)

    def instant(row: dict[str, Any]) -> dict[str, Any]:
        return {name: datetime.fromisoformat(value).isoformat() if name.endswith("_at") and value else value for name, value in row.items()}

    expected = [{name: as_text(value) for name, value in row.items()} for row in the_view(some_prices)]
    assert [instant(row) for row in found] == [instant(row) for row in expected]


def test_a_spreadsheet_computes_nothing_in_csv(warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path) -> None:
    names = ["=cmd|' /C calc'!A0", '=HYPERLINK("http://x","a,b")', "+1", "-1,=2", "@SUM(A1)", "＝1+1", 'plain, "=1" and =2']
    store_day(lines=[offer(str(number), name=name, brand="=1") for number, name in enumerate(names)])
    pipeline.ingest(warehouse, storage, "aldi")
    export_prices(warehouse, str(tmp_path / "p.csv"))
    export_prices(warehouse, str(tmp_path / "p.parquet"))
    with (tmp_path / "p.csv").open(newline="") as file:
        found = {row["sku"]: row for row in csv.DictReader(file)}
    assert [found[str(number)]["name"] for number in range(len(names))] == [f"'{name}" for name in names[:-1]] + names[-1:]
    assert {row["brand"] for row in found.values()} == {"'=1"}
    assert {row["name"] for row in read(tmp_path / "p.parquet")} == set(names), "Parquet has the texts unchanged"


def test_the_columns_are_those_of_the_contract(warehouse: Warehouse) -> None:
    found = rows(
        warehouse,
        "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute "
        "WHERE attrelid = 'core.store_price'::regclass AND attnum > 0 ORDER BY attnum",
    )
    types = {"timestamp with time zone": "instant", "numeric(12,4)": "numeric"}
    assert {row["attname"]: types.get(row["type"], row["type"]) for row in found} == COLUMNS


def test_batches_make_one_file(some_prices: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_BATCH_BYTES", 330)
    monkeypatch.setattr(export, "_PROGRESS_EVERY_ROWS", 4)
    reported: list[int] = []
    done = export_prices(some_prices, str(tmp_path / "p"), progress=reported.append)
    assert parquet.ParquetFile(done.target).num_row_groups == 3 and read(Path(done.target)) == the_view(some_prices)
    assert reported == [4, 8]


def test_no_change_gives_a_file_without_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    assert export_prices(warehouse, str(tmp_path / "p.parquet")).rows == 0 == parquet.read_table(tmp_path / "p.parquet").num_rows
    assert export_prices(warehouse, str(tmp_path / "p.csv")).rows == 0
    assert (tmp_path / "p.csv").read_text() == ",".join(COLUMNS) + "\n"


def test_one_retailer_and_what_changed_since(some_prices: Warehouse, tmp_path: Path) -> None:
    assert export_prices(some_prices, str(tmp_path / "p"), retailer="coles").rows == 2
    assert read(tmp_path / "p") == the_view(some_prices, "retailer = 'coles'")
    assert export_prices(some_prices, str(tmp_path / "p"), since="2026-11-18T00:00:00+00:00").rows == 3
    assert {row["sku"]: (row["price_cents"], row["is_available"], row["is_listed"]) for row in read(tmp_path / "p")} == {
        "10": (250, True, True), "11": (100, False, True), "13": (100, True, False),
    }  # fmt: skip


def test_a_target_anywhere(some_prices: Warehouse) -> None:
    export_prices(some_prices, "memory://bucket/deep/prices.parquet")
    assert fsspec.filesystem("memory").find("bucket") == ["/bucket/deep/prices.parquet"]
    with fsspec.open("memory://bucket/deep/prices.parquet") as file:
        assert sorted(parquet.read_table(file).to_pylist(), key=key) == the_view(some_prices)
    fsspec.filesystem("memory").rm("bucket", recursive=True)


def test_a_failed_export_keeps_the_old_file(some_prices: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_PROGRESS_EVERY_ROWS", 2)
    target = tmp_path / "exports" / "prices.csv"
    target.parent.mkdir()
    target.write_text("yesterday's")

    def fail(rows: int) -> None:
        assert target.read_text() == "yesterday's" and fsspec.filesystem("memory").find("bucket") == []
        raise KeyboardInterrupt

    for where in (str(target), "memory://bucket/prices.csv"):
        with pytest.raises(KeyboardInterrupt):
            export_prices(some_prices, where, progress=fail)
        assert list(target.parent.iterdir()) == [target] and target.read_text() == "yesterday's"
        assert fsspec.filesystem("memory").find("bucket") == []
    assert one(some_prices, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    export_prices(some_prices, str(target))
    assert target.read_text().startswith("retailer,")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"file_format": "xlsx"}, "--format xlsx is not known. Write --format parquet or --format csv"),
        ({"retailer": "tesco"}, "unknown retailer 'tesco'. Write one of: .*coles"),
        ({"since": "yesterday"}, "--since='yesterday' is not an ISO 8601 instant"),
        ({"since": "2026-11-18T09:00:00"}, "has no UTC offset"),
        ({"since": "2027-01-01T00:00:00+00:00"}, "is in the future of this installation .*Export once without --since"),
    ],
)
def test_impossible_exports_have_a_reason(warehouse: Warehouse, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        export_prices(warehouse, str(tmp_path / "p"), **options)


def test_an_unwritable_target_is_reported(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"is a folder. Name a file, e.g. .*/store_price.parquet"):
        export_prices(warehouse, str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"there is no folder .*/tpyo\. Create it, or correct the name"):
        export_prices(warehouse, str(tmp_path / "tpyo" / "p"))
    assert not (tmp_path / "tpyo").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot be written .*Give a file in a folder you may write to"):
        export_prices(warehouse, str(tmp_path / "file" / "p"))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_write_parquet", full)
    with pytest.raises(TransientError, match=r"No space left on device.*The target is unchanged"):
        export_prices(warehouse, str(tmp_path / "p"))
    assert not (tmp_path / "p").exists()


def test_the_command_prints_the_next_cursor(some_prices: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", some_prices.url)
    target = tmp_path / "prices.csv"
    result = CliRunner().invoke(app, ["warehouse", "export", str(target)])
    assert result.exit_code == 0 and result.stdout == f"9 rows written to {target} (csv)\nnext time: --since 2026-11-18T08:59:00+00:00\n"
    again = CliRunner().invoke(
        app, ["warehouse", "export", str(target), "--since", "2026-11-18T08:59:00+00:00", "--format", "parquet", "--json"]
    )
    assert json.loads(again.stdout) == {"target": str(target), "format": "parquet", "rows": 3, "cursor": "2026-11-18T08:59:00+00:00"}
    assert CliRunner().invoke(app, ["warehouse", "export", str(target), "--since", "x"]).exit_code == 2


# -- the cursor ------------------------------------------------------------------------------------------------------------


class IncrementalReader:
    """Another program that keeps a copy of the prices: merges every export by key, and continues with its cursor."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.copy: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.cursor: str | None = None
        self._warehouse, self._target = warehouse, folder / "follower.parquet"

    def follow(self) -> None:
        done = export_prices(self._warehouse, str(self._target), since=self.cursor)
        self.copy |= {key(row): row for row in read(self._target)}
        self.cursor = done.cursor.isoformat()

    def is_behind(self) -> list[tuple[str, str, str]]:
        """Rows that differ from the warehouse in a value covered by ``changed_at``."""
        names = ("price_cents", "is_listed", "is_available", "changed_at")
        wanted = {key(row): [row[name] for name in names] for row in the_view(self._warehouse)}
        mine = {key: [row[name] for name in names] for key, row in self.copy.items()}
        return sorted(key for key in wanted if wanted[key] != mine.get(key)) + sorted(mine.keys() - wanted.keys())


@pytest.fixture
def ticking_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that advances an hour with each reading, so that the minute of grace has no effect."""
    ticks, start = count(), datetime(2026, 11, 18, 9, tzinfo=UTC)
    monkeypatch.setattr("include.clock.now", lambda: start + timedelta(hours=next(ticks)))


def test_a_slow_publication_is_not_lost_after_a_fast_one(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path, ticking_clock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = IncrementalReader(warehouse, tmp_path)
    store_day("aldi", "G1", lines=offers(3))
    store_day("coles", "COL:1", lines=offers(3))
    has_its_time, may_commit, quarantine = threading.Event(), threading.Event(), publishing._quarantine

    def wait_before_commit(connection: Any, storage: Any, file: Any, *rest: Any) -> None:
        quarantine(connection, storage, file, *rest)
        if file.manifest.retailer == "aldi":
            has_its_time.set()
            assert may_commit.wait(60)

    monkeypatch.setattr(publishing, "_quarantine", wait_before_commit)
    slow = threading.Thread(target=pipeline.ingest, args=(warehouse, storage, "aldi"))
    slow.start()
    assert has_its_time.wait(60)
    pipeline.ingest(warehouse, storage, "coles")
    quick = one(warehouse, "SELECT max(changed_at) FROM core.price")
    exporting = threading.Thread(target=follower.follow)
    exporting.start()
    while exporting.is_alive() and one(warehouse, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 0:
        time.sleep(0.01)
    may_commit.set()
    for thread in (slow, exporting):
        thread.join(60)
    assert one(warehouse, "SELECT min(changed_at) FROM core.price") < quick, "the slow one has the earlier time, and committed later"
    follower.follow()
    assert follower.is_behind() == [] and len(follower.copy) == 6


def test_nothing_is_lost_while_many_publish(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path, ticking_clock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three retailers publish store-day after store-day, each commit late at random, while a follower exports all the time."""
    monkeypatch.setattr(publishing, "_quarantine", lambda *_: time.sleep(0.004 * (os.urandom(1)[0] % 4)))
    first, nights, errors = datetime(2026, 11, 18, 10, tzinfo=UTC), 12, list[BaseException]()

    def publish(retailer: str) -> None:
        try:
            for night in range(nights):
                at = (first + timedelta(minutes=night)).isoformat()
                StoreDays(storage)(
                    retailer,
                    at=at,
                    lines=[offer(str(sku), 1 + night + sku / 100) for sku in range(night, night + 5)],
                    run_key=f"n{night}",
                )
                pipeline.ingest(warehouse, storage, retailer)
        except BaseException as error:
            errors.append(error)

    publishers = [threading.Thread(target=publish, args=(retailer,)) for retailer in ("aldi", "coles", "iga")]
    follower, rounds = IncrementalReader(warehouse, tmp_path), 0
    for thread in publishers:
        thread.start()
    while any(thread.is_alive() for thread in publishers):
        follower.follow()
        rounds += 1
    follower.follow()
    assert errors == [] and rounds >= 5
    assert follower.is_behind() == [] and len(follower.copy) == 3 * (nights + 4)


def test_a_row_that_differs_in_its_product_only_is_exported_since(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, fixed_clock: Callable[[str], None], tmp_path: Path
) -> None:
    """Another name, brand or size, a barcode learnt or contested: prices stay, readers see the difference."""
    known = [offer(str(number), 2.0, name=f"Thing {word}", barcode=None) for number, word in enumerate(("ant", "bee", "cow", "dog", "elk"))]
    twin = offer("6", 2.0, name="Thing fox", size="500g", barcode=gtin(6))

    def changed_after(day: str, lines: Sequence[Line]) -> list[str]:
        fixed_clock(f"2026-11-{day}T09:00:00+11:00")
        store_day(at=f"2026-11-{day}T04:30:00+11:00", lines=lines)
        assert pipeline.ingest(warehouse, storage, "aldi").published.store_days == 1
        target = tmp_path / f"{day}.parquet"
        export_prices(warehouse, str(target), since=f"2026-11-{day}T09:00:00+11:00")
        return [row["sku"] for row in read(target)]

    assert len(changed_after("16", [*known, twin])) == 6
    assert changed_after("17", [*known, twin]) == []
    names = [
        offer("0", 2.0, name="THING ANT", barcode=None),
        offer("1", 2.0, name="Thing bee", brand="Hive", barcode=None),
        *known[2:],
        twin,
    ]
    assert changed_after("18", names) == ["0", "1"]
    learnt = [*names[:2], offer("2", 2.0, name="Thing cow", barcode=gtin(2)), *known[3:], twin]
    assert changed_after("19", learnt) == ["2"]
    contested = [*learnt[:3], offer("3", 2.0, name="Thing dog", size="100g", barcode=gtin(6)), known[4], twin]
    assert changed_after("20", contested) == ["3"]
    assert one(warehouse, "SELECT contested_barcode FROM core.store_price WHERE sku = '3'") == gtin(6).zfill(14)
    assert changed_after("21", contested) == []


def test_every_writer_of_changed_at_announces_it_first(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    """Every transaction of the project that changes prices holds the lock exports wait for: a trigger looks."""
    key = one(warehouse, "SELECT hashtextextended(%s, 0)", f"aisleflow:{price_changes._NAME}")
    with warehouse.transaction() as connection:
        connection.execute(
            "CREATE FUNCTION core.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NOT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND mode = 'ShareLock' AND ((classid::bigint << 32) | objid::bigint) = {key}) "
            "THEN RAISE EXCEPTION 'this transaction writes changed_at and has not called announce_price_change()'; END IF; RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE TRIGGER look AFTER INSERT OR UPDATE OF changed_at OR DELETE ON core.price FOR EACH STATEMENT EXECUTE FUNCTION core.look()"
        )
        connection.execute("CREATE TRIGGER look AFTER UPDATE ON core.sku FOR EACH STATEMENT EXECUTE FUNCTION core.look()")
    try:
        store_day(at=TUESDAY, lines=offers(4))
        store_day(lines=[*offers(2), offer("3", 20001), offer("9", 3.0, price_was=2.0, is_on_special=True)])
        assert pipeline.ingest(warehouse, storage, "aldi").published.delisted == 1
        file_id = one(warehouse, "SELECT max(file_id) FROM ops.quarantined_offer")
        released = release_lines.release_lines(warehouse, storage, file_id, "Ada", "seen in the shop", rule_id="was_price_not_above")
        assert released.decided == 1 and one(warehouse, "SELECT count(*) FROM core.price WHERE price_cents = 300") == 1
        with warehouse.transaction() as connection, pytest.raises(psycopg.errors.RaiseException, match="has not called"):
            connection.execute("UPDATE core.price SET changed_at = changed_at")
    finally:
        with warehouse.transaction() as connection:
            connection.execute("DROP TRIGGER look ON core.price")
            connection.execute("DROP TRIGGER look ON core.sku")
            connection.execute("DROP FUNCTION core.look")


@pytest.mark.campaign
@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_memory_does_not_grow_with_the_rows(
    warehouse: Warehouse, tmp_path: Path, file_format: str, record_property: Callable[[str, object], None]
) -> None:
    """A million rows and a tenth of them, each exported by a separate process, whose peak memory is compared."""
    peaks = []
    for stores in (50, 500):
        with warehouse.transaction() as connection:
            connection.execute(
                "INSERT INTO core.product (name, created_at) SELECT 'Thing', '2026-11-18Z' WHERE NOT EXISTS (SELECT FROM core.product)"
            )
            connection.execute(
                "INSERT INTO core.sku (retailer, sku, product_id, name, brand, size, texts_at, joined_by, joined_at) "
                "SELECT 'aldi', n::text, (SELECT min(product_id) FROM core.product), 'Some thing of number ' || n, 'Zorbo', '500 g', '2026-11-18Z', 'new', '2026-11-18Z' "
                "FROM generate_series(1, 2000) AS n ON CONFLICT DO NOTHING"
            )
            connection.execute(
                "INSERT INTO core.store (retailer, store_id, first_seen_at) SELECT 'aldi', 'G' || n, '2026-11-18Z' FROM generate_series(1, %s) AS n ON CONFLICT DO NOTHING",
                (stores,),
            )
            connection.execute(
                "INSERT INTO core.price (store_key, sku_key, price_cents, price_basis, is_on_special, is_available, is_listed, uses_store_watermark, observed_at, changed_at, file_id, price_file_id) "
                "SELECT store_key, sku_key, 1 + (store_key * 7 + sku_key) % 5000, 'each', false, true, true, true, '2026-11-18Z', '2026-11-18Z', 1, 1 "
                "FROM core.store CROSS JOIN core.sku ON CONFLICT DO NOTHING"
            )
            connection.execute("ANALYZE core.price, core.sku, core.store")
        code = (
            "import resource, sys; from include.config import settings; from include.warehouse.engine import Warehouse; "
            "from include.readers.export import export_prices; "
            "done = export_prices(Warehouse(sys.argv[1], settings()), sys.argv[2], sys.argv[3]); "
            "print(done.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, warehouse.url, str(tmp_path / "prices"), file_format], capture_output=True, text=True, check=True
        )
        rows_written, peak = map(int, done.stdout.split())
        assert rows_written == stores * 2000
        record_property("export", f"{rows_written:,} rows as {file_format}: {peak} MiB at most")
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 60 and peaks[1] < 400, f"{peaks} MiB for 100,000 and 1,000,000 rows"

"""Every benchmark runs at a small size and produces its figures. No test checks a duration."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psycopg
import pytest

from benchmarks import catalogue_speed, groups, importing, nights, prefilling, yardstick
from benchmarks.histories import HISTORIES, Sizes
from benchmarks.measuring import Bench, PreparationFailed
from benchmarks.scratch import Scratch, scratch
from benchmarks.store_days import StoreDay, write_plain, write_staged
from include.embedded.postgres import running_postgres
from include.model.offer import decode
from include.staging import staged_file
from include.staging.storage import Stage, Storage

pytestmark = pytest.mark.slow

TOY = Sizes(lines=60, share=0.01, nights=3, prices=600)


@pytest.fixture(scope="module")
def server() -> Iterator[Scratch]:
    """Start one scratch server for all tests of this module."""
    with scratch() as made:
        yield made


@pytest.fixture(scope="module")
def bench(server: Scratch) -> Iterator[Bench]:
    """Start one warm process for all histories."""
    with pytest.MonkeyPatch.context() as patch, Bench(server, 30, lambda _: None) as made:
        patch.setattr(yardstick, "_LINES_MIN", 1)
        yield made


@pytest.mark.parametrize("history", HISTORIES)
def test_a_history_is_measured(bench: Bench, history: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prices: list[int] = []
    measure = bench.night

    def night(warehouse, days):
        with psycopg.connect(warehouse.url) as connection:
            prices.extend(number for (number,) in connection.execute("SELECT count(*) FROM core.price"))
        return measure(warehouse, days)

    monkeypatch.setattr(bench, "night", night)
    rows = list(islice(HISTORIES[history](bench, TOY), 2))  # the further nights of a history are measured in the same way

    assert rows
    assert {row["goal"] for row in rows} <= {"pass", "over"}, rows
    assert all(row["ratio"] == pytest.approx(row["seconds"] / row["yardstick"]) for row in rows)
    if history == "prices":
        small, large = prices[:2]
        assert large == 10 * small > 500


def test_an_unfinished_night_reports_its_error(bench: Bench, server: Scratch) -> None:
    days = [StoreDay("aldi", 0, 20)]
    with server.warehouse() as warehouse:
        with psycopg.connect(warehouse.url) as connection:
            connection.execute("ALTER TABLE core.price ADD CHECK (price_cents < 0)")
        measured = bench.night(warehouse, days)
        with pytest.raises(PreparationFailed, match="1 store-days of aldi, night 2"):
            bench.prepare(warehouse, [StoreDay("aldi", 0, 20, 1)])

    row = bench.row("broken", "a night", measured, bench.plain(days))
    assert (row["goal"], measured.ratio) == ("not finished", None)
    assert "RejectedByDatabase" in row["error"]


def test_plain_nights_are_measured(server: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yardstick, "_LINES_MIN", 1)
    monkeypatch.setattr(nights, "NIGHTS", nights.NIGHTS[:1])  # each further one imports Great Expectations again

    rows = nights.measure(server, 2, 20, 30, lambda _: None)

    assert [row["what"] for row in rows] == ["yardstick, 1 process", "yardstick, 2 processes", "first load, warm process", "first load"]
    for row in rows[2:]:
        assert row["seconds"] >= row["load"] + row["check"] + row["resolve"] + row["publish"]
        assert row["ratio"] == pytest.approx(row["seconds"] / rows[1]["seconds"])


def test_the_import_command_is_measured_by_step(server: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yardstick, "_LINES_MIN", 1)
    monkeypatch.setattr(importing, "NIGHTS", {"first": 0})
    [(name, folder, now)] = importing.generated(tmp_path, 2, 20, lambda _: None)

    [row] = importing.measure(server, [(name, [folder], now)], is_empty_home=False, progress=lambda _: None)

    assert (row["files"], row["lines"], row["exit_code"]) == (2, 40, 0)
    assert list(row["steps"]) == ["start", "staging", "load", "check", "resolve", "publish", "pages", "between", "leaving"]
    assert sum(step["seconds"] for step in row["steps"].values()) == pytest.approx(row["seconds"])
    assert all(row["steps"][step]["seconds"] > 0 for step in ("start", "staging", "load", "check", "resolve", "publish"))


def test_the_yardstick_reads_every_line(server: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yardstick, "_LINES_MIN", 1)
    files = write_plain([StoreDay("iga", store, 30) for store in range(3)], tmp_path)
    found = yardstick.measure(files, server.yardstick_url, server.cluster.pid)
    assert (found.lines, found.processes) == (90, min(2, found.processes))


def test_store_days_have_the_documented_layout(tmp_path: Path) -> None:
    day = StoreDay("coles", 1, 100, night=2, doubles=20)
    [path] = write_staged([day], tmp_path)
    storage = Storage(f"file://{tmp_path}")
    [manifest_path] = storage.manifests(Stage.OUTBOX)
    manifest = staged_file.load_manifest(storage, manifest_path)
    read = list(staged_file.open_staged(storage, manifest, Stage.OUTBOX, 1_000_000))  # checked against rows and SHA-256

    skus = [decode(line.raw).product.sku for line in read]
    assert (len(skus), len(set(skus)), manifest.complete) == (100, 80, True)
    assert (manifest.store_id, manifest.night, manifest.observed_at) == (day.store_id, day.on, day.at)
    assert gzip.decompress(path.read_bytes()) == day.content()


def test_a_third_of_the_prices_changes_on_wednesdays_only() -> None:
    def prices(night: int) -> list[str | None]:
        return [decode(line).product.price_current for line in StoreDay("aldi", 0, 300, night).content().splitlines()]

    monday, tuesday, wednesday, thursday = (prices(night) for night in range(4))
    assert (monday, wednesday) == (tuesday, thursday)
    assert 0.3 < sum(old != new for old, new in zip(monday, wednesday, strict=True)) / 300 < 0.37


def test_an_interrupted_benchmark_removes_its_files() -> None:
    def interrupted() -> Iterator[Path]:
        with scratch() as made:
            yield made.folder
            raise KeyboardInterrupt

    steps = interrupted()
    folder = next(steps)
    assert running_postgres(folder / "home")
    with pytest.raises(KeyboardInterrupt):
        next(steps)
    assert not folder.exists()
    assert not running_postgres(folder / "home")


def test_prefill_is_measured(server: Scratch) -> None:
    query, rewritten = prefilling.measure(server, 600, 90, lambda _: None)

    assert query["what"] == "query of 90 SKUs among 600, 81 known"
    assert all(row["ratio"] == pytest.approx(row["seconds"] / row["yardstick_seconds"]) for row in (query, rewritten))


def test_a_large_catalogue(server: Scratch) -> None:
    measured = catalogue_speed.measure(server, 80, 10, lambda _: None)
    assert [row["rows"] for row in measured] == [80, 80, 10, 10, 80, 80], "read again twice, merged twice, tables written and unchanged"
    assert all(row["seconds"] > 0 and row["bare_update_seconds"] > 0 for row in measured)


def test_a_pass_of_store_groups_is_measured(server: Scratch) -> None:
    small, larger = groups.measure(server, [4, 8], 300, 30, lambda _: None)

    assert (small["stores"], larger["stores"], small["pairs_again"], larger["pairs_again"]) == (4, 8, 0, 0)
    assert larger["prices"] > 8 * 250 and "exponent" in larger
    assert larger["ratio"] == pytest.approx(larger["seconds"] / larger["reading"])

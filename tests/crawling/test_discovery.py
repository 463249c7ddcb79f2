"""Discovery: merged stores, closed stores, and a directory as a starting list."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include.cli.main import app
from include.config import Settings
from include.crawling import crawl_plan, discovery, runs
from include.crawling.client import PoliteClient
from include.crawling.store_crawl import find_stores
from include.errors import TerminalError
from include.model.store import StoreRecord
from include.retailers.base import Page
from include.warehouse.engine import Warehouse
from tests.crawling.fake_site import Hillview, Site, json_reply

NIGHT = date(2026, 11, 18)


def found(store_id: str, state: str | None = "VIC", **more: object) -> StoreRecord:
    values: dict[str, Any] = {"retailer": "aldi", "store_id": store_id, "online_store_id": None, "name": f"Aldi {store_id}", "state": state}
    return StoreRecord(**values | more)


def store(warehouse: Warehouse, store_id: str, columns: str = "absences, closed_at IS NOT NULL AS is_closed") -> dict[str, Any]:
    with warehouse.transaction() as connection:
        row = connection.execute(f"SELECT {columns} FROM core.store WHERE store_id = %s", (store_id,)).fetchone()
    assert row is not None
    return dict(row)


def test_discovery_keeps_known_values_and_confirms_stores(warehouse: Warehouse):
    with warehouse.transaction() as connection:
        connection.execute(
            "INSERT INTO core.store (retailer, store_id, name, state, first_seen_at) VALUES ('aldi', 'G1', 'Aldi Known', 'QLD', '2026-11-01')"
        )

    first = discovery.merge_found_stores(warehouse, "aldi", [found("G1", None, name=None, postcode="4000"), found("G2")])
    again = discovery.merge_found_stores(warehouse, "aldi", [found("G1", None, name=None)])

    assert (first.stores, first.new, again.new) == (2, 1, 0)
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT name, state, postcode, is_confirmed FROM core.store WHERE store_id = 'G1'").fetchone()
    assert row == {"name": "Aldi Known", "state": "QLD", "postcode": "4000", "is_confirmed": True}


def test_a_finder_without_a_supermarket_changes_nothing(warehouse: Warehouse):
    with pytest.raises(TerminalError, match="returned no supermarket"):
        discovery.merge_found_stores(warehouse, "aldi", [found("P1", is_supermarket=False)])
    with warehouse.transaction() as connection:
        assert connection.execute("SELECT FROM core.store").fetchall() == []


def test_states_postcodes_and_positions_are_cleaned(warehouse: Warehouse):
    discovery.merge_found_stores(
        warehouse,
        "aldi",
        [
            found("G1", "6018", latitude=-31.9, longitude=115.8),
            found("G2", "ACT ", postcode="2617", latitude=0.0, longitude=0.0),
            found("G3", None, postcode="800", latitude=37.8, longitude=145.1),
        ],
    )

    columns = "state, postcode, latitude"
    assert store(warehouse, "G1", columns) == {"state": "WA", "postcode": "6018", "latitude": -31.9}
    assert store(warehouse, "G2", columns) == {"state": "ACT", "postcode": "2617", "latitude": None}
    assert store(warehouse, "G3", columns) == {"state": "NT", "postcode": "0800", "latitude": None}


def test_a_store_absent_three_times_in_a_row_is_closed_until_it_is_found_again(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch):
    all_of_them = [found(f"G{n}") for n in range(20)]
    discovery.merge_found_stores(warehouse, "aldi", all_of_them)
    for day in ("2026-11-20", "2026-11-27", "2026-11-27", "2026-12-04"):
        monkeypatch.setenv("AISLEFLOW_NOW", f"{day}T00:00:00+00:00")
        counts = discovery.merge_found_stores(warehouse, "aldi", all_of_them[1:])  # the second one of a day is a task run again
        if day < "2026-12":
            assert not store(warehouse, "G0")["is_closed"]

    assert (counts.absent, counts.closed) == (1, 1)
    assert store(warehouse, "G0") == {"absences": 3, "is_closed": True}
    crawl_plan.plan(warehouse, "aldi", NIGHT)
    assert "treated as closed: not found by the last 3 discoveries" in _reason(warehouse, "G0")

    discovery.merge_found_stores(warehouse, "aldi", all_of_them)
    assert store(warehouse, "G0") == {"absences": 0, "is_closed": False}


def test_an_incomplete_finder_closes_no_store_and_raises(warehouse: Warehouse):
    discovery.merge_found_stores(warehouse, "aldi", [found(f"G{n}") for n in range(20)])

    with pytest.raises(discovery.IncompleteStoreFinder, match=r"returned 5 supermarkets, 20 were open before"):
        discovery.merge_found_stores(warehouse, "aldi", [found(f"G{n}", name="Renamed") for n in range(5)])

    assert store(warehouse, "G19") == {"absences": 0, "is_closed": False}
    assert store(warehouse, "G4", "name") == {"name": "Renamed"}


def test_another_retailers_stores_are_not_counted_absent(warehouse: Warehouse):
    discovery.merge_found_stores(warehouse, "iga", [found("21981", retailer="iga", online_store_id="508")])
    discovery.merge_found_stores(warehouse, "aldi", [found("G1")])

    assert store(warehouse, "21981")["absences"] == 0


def _reason(warehouse: Warehouse, store_id: str) -> str:
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT reason FROM ops.crawl_plan WHERE store_id = %s", (store_id,)).fetchone()
    assert row is not None
    return str(row["reason"])


def directory(folder: Path, *stores: dict[str, Any], pack: bool = True) -> Path:
    """Write a directory of two chains, one with divisions."""
    folder.mkdir(parents=True, exist_ok=True)
    companies = [{"name": "Aldi"}, {"name": "Iga"}, {"name": "Coles"}, {"name": "Corner Shop"}]
    divisions = [{"name": "Coles Supermarkets", "company": 3}, {"name": "Liquorland", "company": 3}]
    empty = {"store_name": "", "division": None, "suburb": None, "state": None, "postcode": None, "latitude": None, "longitude": None,
             "last_updated": "2025-09-13T12:19:38.361Z", "retailer_store_id": None}  # fmt: skip
    for name, rows in (("company", companies), ("division", divisions), ("store", [empty | row for row in stores])):
        content = json.dumps([{"model": name, "pk": number, "fields": row} for number, row in enumerate(rows, start=1)]).encode()
        (folder / f"{name}.json{'.gz' if pack else ''}").write_bytes(gzip.compress(content) if pack else content)
    return folder


@pytest.mark.parametrize("pack", [True, False])
def test_a_directory_never_replaces_store_finder_data(warehouse: Warehouse, tmp_path: Path, pack: bool):
    discovery.merge_found_stores(warehouse, "aldi", [found("G1", name="Aldi Present")])
    folder = directory(
        tmp_path / "directory",
        {"company": 1, "store_id": "G1", "store_name": "Aldi Long Ago", "state": "QLD"},
        {"company": 1, "store_id": "G2", "state": "act "},
        {"company": 2, "store_id": "21981", "retailer_store_id": "508"},
        {"company": 2, "store_id": "22282"},
        {"company": 3, "store_id": "COL:401", "division": 1},
        {"company": 3, "store_id": "LQR:9", "division": 2},
        {"company": 4, "store_id": "1"},
        pack=pack,
    )

    first, again = runs.import_directory(warehouse, folder), runs.import_directory(warehouse, folder)

    assert {retailer: (counts.stores, counts.supermarkets, counts.new) for retailer, counts in first.items()} == {
        "aldi": (2, 2, 1), "coles": (2, 1, 2), "iga": (2, 1, 2),
    }  # fmt: skip
    assert [counts.new for counts in again.values()] == [0, 0, 0]
    assert store(warehouse, "G1", "name, state") == {"name": "Aldi Present", "state": "VIC"}
    assert store(warehouse, "G2", "state, is_confirmed") == {"state": "ACT", "is_confirmed": True}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "store.json.gz").unlink(), "there is no store.json"),
        (lambda folder: (folder / "store.json.gz").write_bytes(b"\x1f\x8bnot gzip"), "not a JSON list of rows"),
        (
            lambda folder: (folder / "store.json.gz").write_bytes(gzip.compress(b'[{"pk": 7, "fields": {"company": 1}}]')),
            "row 7 does not have the format",
        ),
    ],
)
def test_a_damaged_directory_changes_nothing_and_is_named(warehouse: Warehouse, tmp_path: Path, damage: Any, message: str):
    folder = directory(tmp_path / "directory", {"company": 1, "store_id": "G2"})
    damage(folder)

    with pytest.raises(TerminalError, match=message):
        runs.import_directory(warehouse, folder)
    with warehouse.transaction() as connection:
        assert connection.execute("SELECT FROM core.store").fetchall() == []


def test_the_real_directory_gives_the_known_supermarkets_and_a_first_night_over_all_states(make_warehouse, shared: Path, fixed_clock):
    warehouse = make_warehouse(nightly_requests=2400, requests_per_store=100)
    counts = runs.import_directory(warehouse, shared / "directory")

    assert {retailer: count.supermarkets for retailer, count in counts.items()} == {
        "aldi": 495,
        "coles": 827,
        "iga": 931,
        "woolworths": 1131,
    }
    assert sum(count.stores for count in counts.values()) == 5701
    for retailer, supermarkets in (("coles", 827), ("woolworths", 1131), ("aldi", 495), ("iga", 931)):
        states = [item.store.state for item in crawl_plan.plan(warehouse, retailer, NIGHT)]
        assert len(states) == 24
        with warehouse.transaction() as connection:
            offered = {
                row["state"]: row["stores"]
                for row in connection.execute(
                    "SELECT state, count(*) AS stores FROM core.store WHERE retailer = %s AND is_supermarket GROUP BY 1", (retailer,)
                ).fetchall()
            }
        rounds = -(-24 // len(offered))  # one of each state in turn: a state is behind only where it has no more stores to offer
        assert all(states.count(state) >= min(rounds - 1, stores) for state, stores in offered.items()), (retailer, offered, states)
        with warehouse.transaction() as connection:
            rows = crawl_plan.plan_rows(connection, retailer, NIGHT)
        assert sum(row["decision"] != "excluded" for row in rows) == supermarkets
        assert all(row["reason"] for row in rows)
        assert crawl_plan.count_decisions(rows)["crawl"] == 24


def test_plan_and_stores_are_listed_on_the_command_line(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixed_clock):
    from typer.testing import CliRunner

    monkeypatch.setenv("AISLEFLOW_WAREHOUSE_URL", warehouse.url)
    monkeypatch.setenv("AISLEFLOW_HOME", str(tmp_path))
    folder = directory(tmp_path / "directory", {"company": 1, "store_id": "G2", "state": "VIC"}, {"company": 2, "store_id": "22282"})
    run = CliRunner()

    assert "aldi" in run.invoke(app, ["store", "import", str(folder)]).stdout
    plan = json.loads(run.invoke(app, ["store", "plan", "aldi", "--json"]).stdout)
    assert plan["stores"] == {"crawl": 1, "deferred": 0, "excluded": 0}
    assert plan["plan"][0]["reason"] == "never crawled (VIC)"
    assert "never crawled (VIC)" in run.invoke(app, ["store", "plan", "aldi"]).stdout
    assert [row["store_id"] for row in json.loads(run.invoke(app, ["store", "list", "iga", "--json"]).stdout)] == ["22282"]
    excluded = run.invoke(app, ["store", "plan", "iga"])
    assert excluded.exit_code == 0 and "excluded: no online store id" in excluded.output
    assert "no store of coles is known" in run.invoke(app, ["store", "plan", "coles"]).output
    assert run.invoke(app, ["store", "list", "corner"]).exit_code == 2


def test_a_store_found_from_two_points_is_yielded_once(
    hillview: Hillview, site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hillview, "store_pages", lambda self: [Page(path="/stores", params={"near": near}) for near in (1, 2)])
    monkeypatch.setattr(
        Hillview,
        "stores",
        lambda self, body: (StoreRecord(retailer="hillview", store_id=one, online_store_id=one, name=None) for one in body),
    )
    site.answer = lambda asked: json_reply(["7", asked.query["near"]])

    with PoliteClient(hillview, settings) as client:
        found = [store.store_id for store in find_stores(hillview, client)]

    assert found == ["7", "1", "2"]

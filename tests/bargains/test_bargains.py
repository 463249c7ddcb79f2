"""Bargains against a plain model, wrong prices, what readers see meanwhile, the files."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pyarrow import parquet

from include import clock
from include.bargains.arrivals import is_due, missing_retailers, overdue_night
from include.bargains.exporting import FOLDER, MANIFEST, arrow_schema, export_bargains, read_manifest
from include.bargains.publish import publish_bargains
from include.bargains.reading import find_bargains
from include.errors import ConfigurationError, TerminalError
from include.ingestion import pipeline
from include.retailer_names import RETAILERS
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse
from tests.bargains.plain import bargains
from tests.ingestion.store_days import STORE_IDS, StoreDays, gtin, offer
from tests.warehouse.looking import one, rows

NIGHT = date(2026, 11, 18)
_FILLING = """
INSERT INTO ops.staged_file (retailer, store_id, night, run_key, content_hash, state, stage, observed_at, last_observed_at, rows, manifest, registered_at)
VALUES ('aldi', 'G0', '2026-11-18', 'r', 'h', 'published', 'archive', '2026-11-18', '2026-11-18', 1, '{}', '2026-11-18');
INSERT INTO core.product (name, created_at) SELECT 'Product ' || g, '2026-11-01' FROM generate_series(1, 25) AS g;
"""


def fill(warehouse: Warehouse, seed: int) -> None:
    """Fill a warehouse with a few stores, groups, products and prices of every kind."""
    draw = random.Random(seed)
    with warehouse.transaction() as connection:
        for statement in _FILLING.strip().split(";\n"):
            connection.execute(statement.rstrip(";"))
        products = [row["product_id"] for row in connection.execute("SELECT product_id FROM core.product ORDER BY 1").fetchall()]
        file_id = one_of(connection, "SELECT max(file_id) AS value FROM ops.staged_file")
        stores = [
            (one_of(connection, "INSERT INTO core.store (retailer, store_id, state, is_confirmed, is_supermarket, first_seen_at) VALUES (%s, %s, %s, true, true, '2026-11-01') RETURNING store_key AS value",
                    retailer, f"S{number}", draw.choice(["VIC", "NSW", "WA", None])), retailer)
            for number, retailer in enumerate(draw.choices(["aldi", "iga", "coles"], k=9))
        ]  # fmt: skip
        groups: dict[str, list[int]] = {}
        for store_key, retailer in stores:
            if draw.random() < 0.8:
                if draw.random() < 0.5 or retailer not in groups:
                    group = one_of(
                        connection,
                        "INSERT INTO core.store_group (retailer, founder_store_key, created_at) VALUES (%s, %s, '2026-11-01') RETURNING group_id AS value",
                        retailer,
                        store_key,
                    )
                    is_anchor = True
                    groups.setdefault(retailer, []).append(group)
                else:
                    group, is_anchor = draw.choice(groups[retailer]), False
                connection.execute(
                    "INSERT INTO core.store_group_member (store_key, group_id, is_anchor, cause, reason, changed_by, since_at) VALUES (%s, %s, %s, 'new', 'a test', 'ann', '2026-11-01')",
                    (store_key, group, is_anchor),
                )
        for retailer in ("aldi", "iga", "coles"):
            for number in range(30):
                size = draw.choice([(None, None), (Decimal(500), "g"), (Decimal(502), "g"), (Decimal(1000), "g"), (Decimal(500), "ml")])
                sku_key = one_of(connection, "INSERT INTO core.sku (retailer, sku, product_id, name, texts_at, joined_by, joined_at) VALUES (%s, %s, %s, 'x', '2026-11-01', 'new', '2026-11-01') RETURNING sku_key AS value",
                                 retailer, str(number), draw.choice(products))  # fmt: skip
                connection.execute(
                    "INSERT INTO core.sku_identity (sku_key, name, observed_at, rule_version, reading_hash, size_quantity, size_unit) VALUES (%s, 'x', '2026-11-01', 1, '', %s, %s)",
                    (sku_key, *size),
                )
                for store_key, owner in stores:
                    if owner == retailer and draw.random() < 0.8:
                        basis = draw.choice(["each"] * 5 + ["kg"])
                        unit = draw.choice(
                            [(None, None), (Decimal(draw.randint(1, 90)) / 10, "kg"), (Decimal(draw.randint(1, 90)) / 10, "L")]
                        )
                        listed = draw.random() < 0.9
                        connection.execute(
                            "INSERT INTO core.price (store_key, sku_key, price_cents, price_basis, unit_price, unit_of_measure, is_on_special, is_available, is_listed, uses_store_watermark, "
                            "delisted_at, observed_at, changed_at, file_id, price_file_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, false, %s, %s, '2026-11-18', %s, %s)",
                            (store_key, sku_key, draw.choice([100, 150, 200, 400, 10_000]), basis, *unit, draw.random() < 0.2, draw.random() < 0.9, listed,
                             None if listed else "2026-11-18", draw.choice(["2026-11-13T00:00Z", "2026-11-17T20:00Z", "2026-11-18T03:00Z", "2026-11-17T13:30Z"]), file_id, file_id),
                        )  # fmt: skip


def one_of(connection: Connection, text: str, *values: Any) -> Any:
    row = connection.execute(text, values).fetchone()
    assert row is not None
    return row["value"]


@pytest.mark.parametrize("seed", range(6))
def test_bargains_are_those_of_a_plain_model(make_warehouse: Callable[..., Warehouse], seed: int) -> None:
    warehouse = make_warehouse(bargain_saving_min=0.2, bargain_saving_max=0.75)
    fill(warehouse, seed)
    done = publish_bargains(warehouse, NIGHT)
    places = {
        (row["retailer"], row["store_id"]): (row["state"], row["zone"], clock.price_week_start(clock.now(), row["state"]))
        for row in rows(
            warehouse,
            "SELECT retailer, store_id, state, coalesce((SELECT group_id FROM core.store_group_member AS m WHERE m.store_key = s.store_key AND until_at IS NULL), -store_key) AS zone FROM core.store AS s",
        )
    }
    sizes = {
        (row["retailer"], row["sku"]): (row["size_quantity"], row["size_unit"])
        for row in rows(warehouse, "SELECT retailer, sku, size_quantity, size_unit FROM core.sku JOIN core.sku_identity USING (sku_key)")
    }
    expected, counts = bargains(rows(warehouse, "SELECT * FROM core.store_price"), places, sizes, Decimal("0.2"), Decimal("0.75"))
    published = {(row["product_id"], row["area"]): row for row in rows(warehouse, "SELECT * FROM core.bargain")}
    assert {"price", "unit_price"} == {found.compared_by for found in expected.values()} and counts["implausible"]
    assert (done.compared, done.small, done.implausible, done.bargains) == (
        counts["compared"],
        counts["small"],
        counts["implausible"],
        len(expected),
    )
    assert published.keys() == expected.keys()
    for key, found in expected.items():
        row = published[key]
        shown = {name: row[name] for name in ("compared_by", "lowest", "highest", "stores", "cheapest_stores", "dearest_stores")}
        shown |= {side: tuple(row[f"{side}_{name}"] for name in ("retailer", "store_id", "sku")) for side in ("cheapest", "dearest")}
        assert shown == asdict(found), key
        assert row["saving_share"] == round(1 - found.lowest / found.highest, 4)


def publish_prices(warehouse: Warehouse, storage: Storage, prices: dict[str, dict[str, Any]], **fields: Any) -> None:
    """Publish one store-day a retailer: product number → price, a line's fields for all."""
    stage = StoreDays(storage)
    for retailer, lines in prices.items():
        stage(
            retailer,
            STORE_IDS[retailer],
            lines=[offer(f"{retailer[0]}{number}", price, barcode=gtin(int(number)), **fields) for number, price in lines.items()],
        )
        pipeline.ingest(warehouse, storage, retailer)


@pytest.mark.parametrize("wrong", [300.0, 0.03])
def test_a_price_that_is_wrong_by_a_factor_of_100_makes_no_bargain(warehouse: Warehouse, storage: Storage, wrong: float) -> None:
    publish_prices(warehouse, storage, {"aldi": {"1": 2.0, "2": 3.0, "3": 3.0}, "iga": {"1": 3.0, "2": wrong, "3": 3.0}})
    done = publish_bargains(warehouse, NIGHT)
    assert [row["saving_share"] for row in find_bargains(warehouse)["bargains"]] == [Decimal("0.3333")]
    assert (done.products, done.compared, done.small, done.implausible, done.bargains) == (3, 6, 2, 2, 2)  # VIC and AU each


def test_readers_see_the_old_bargains_until_the_new_ones_are_committed(
    warehouse: Warehouse, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_prices(warehouse, storage, {"aldi": {"1": 2.0}, "iga": {"1": 3.0}})
    publish_bargains(warehouse, NIGHT)
    seen = []
    run = Connection.run

    def look(connection: Connection, name: str, values: Any = None) -> Any:
        done = run(connection, name, values)
        if name.startswith("bargains/"):
            with psycopg.connect(warehouse.url) as reader:
                seen.append(reader.execute("SELECT count(*) FROM core.bargain").fetchone())
        return done

    monkeypatch.setattr(Connection, "run", look)
    publish_bargains(warehouse, NIGHT)
    assert len(seen) > 5 and set(seen) == {(2,)}

    def fail(connection: Connection, name: str, values: Any = None) -> Any:
        if name == "bargains/insert_bargains":
            raise RuntimeError("killed")
        return run(connection, name, values)

    monkeypatch.setattr(Connection, "run", fail)
    with pytest.raises(RuntimeError):
        publish_bargains(warehouse, NIGHT)
    assert one(warehouse, "SELECT count(*) FROM core.bargain") == 2


def test_multi_buy_and_unit_price_stand_beside_the_price(warehouse: Warehouse, storage: Storage) -> None:
    publish_prices(
        warehouse,
        storage,
        {"aldi": {"1": 2.0}},
        size="500 g",
        per_unit_price_string="$4.00 per kg",
        multi_buy_quantity=2,
        multi_buy_price=3.5,
    )
    publish_prices(warehouse, storage, {"iga": {"1": 3.0}}, size="500 g", per_unit_price_string="$0.60 per 100g")
    publish_bargains(warehouse, NIGHT)
    (row,) = find_bargains(warehouse, "VIC")["bargains"]
    assert (row["compared_by"], row["cheapest_retailer"], row["cheapest_source"]) == ("price", "aldi", "observed")
    assert (row["cheapest_multi_buy_quantity"], row["cheapest_multi_buy_cents"], row["dearest_multi_buy_cents"]) == (2, 350, None)
    assert (row["cheapest_unit_price"], row["dearest_unit_price"], row["dearest_unit_of_measure"]) == (4, 6, "kg")


def test_old_prices_and_those_of_another_price_week_are_no_bargains(
    warehouse: Warehouse, storage: Storage, fixed_clock: Callable[[str], None]
) -> None:
    publish_prices(warehouse, storage, {"aldi": {"1": 2.0}, "iga": {"1": 3.0}})
    fixed_clock("2026-11-21T00:00:00+11:00")
    assert publish_bargains(warehouse, NIGHT).bargains == 2
    fixed_clock("2026-11-21T12:00:00+11:00")  # 79 hours later
    assert publish_bargains(warehouse, NIGHT).products == 0
    warehouse.settings = warehouse.settings.model_copy(update={"current_hours": 24 * 30})
    assert publish_bargains(warehouse, NIGHT).bargains == 2
    fixed_clock("2026-11-25T00:00:00+11:00")  # Wednesday
    assert publish_bargains(warehouse, NIGHT).products == 0
    assert find_bargains(warehouse)["bargains"] == []


def test_the_same_bargains_give_the_same_files_and_the_manifest_comes_last(
    warehouse: Warehouse, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TerminalError, match="no bargains are published yet"):
        export_bargains(warehouse, storage)
    publish_prices(warehouse, storage, {"aldi": {"1": 2.0, "2": 1.0}, "iga": {"1": 3.0, "2": 3.0}})
    publish_bargains(warehouse, NIGHT)
    first = export_bargains(warehouse, storage)
    assert export_bargains(warehouse, storage) == first == read_manifest(storage)
    assert [(file.area, file.rows) for file in first.files] == [("AU", 2), ("VIC", 2), (None, 4)]
    for file in first.files:
        assert hashlib.sha256(storage.read(file.path)).hexdigest() == file.sha256
    listed = json.loads(storage.read(first.files[0].path))
    assert [row["saving_share"] for row in listed] == [0.6667, 0.3333] and listed[0]["name"] == "Thing a2"
    table = parquet.read_table(Path(storage.full(first.files[-1].path)))
    assert table.schema.equals(arrow_schema()) and table.num_rows == 4

    publish_prices(warehouse, storage, {"coles": {"1": 4.0}})
    publish_bargains(warehouse, NIGHT)
    monkeypatch.setattr(Storage, "write", lambda *_: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        export_bargains(warehouse, storage)
    assert read_manifest(storage) == first, "a reader has the earlier files until the manifest names the new ones"
    monkeypatch.undo()


def test_files_of_one_publication_before_stay(warehouse: Warehouse, storage: Storage) -> None:
    publish_prices(warehouse, storage, {"aldi": {"1": 2.0}, "iga": {"1": 3.0}})
    manifests = []
    for cents in (300, 400, 500):
        with warehouse.transaction() as connection:
            connection.execute("UPDATE core.price SET price_cents = %s WHERE price_cents >= 300", (cents,))
        publish_bargains(warehouse, NIGHT)
        manifests.append(export_bargains(warehouse, storage))
    named = {file.path for manifest in manifests[1:] for file in manifest.files}
    assert set(storage.files(FOLDER)) == named | {MANIFEST}
    assert manifests[2].earlier == manifests[1].files


def test_bargains_are_due_when_all_are_in_or_at_their_time(
    warehouse: Warehouse, storage: Storage, fixed_clock: Callable[[str], None]
) -> None:
    fixed_clock("2026-11-18T06:40:00+11:00")
    prices = {retailer: {"1": 2.0} for retailer in RETAILERS}
    publish_prices(warehouse, storage, {"aldi": prices["aldi"]})
    with warehouse.transaction() as connection:
        connection.execute(
            "INSERT INTO ops.crawl_plan (night, retailer, store_id, position, decision, cause, reason, planned_at) VALUES (%s, 'iga', '1', 1, 'crawl', 'due', 'due', %s)",
            (NIGHT, clock.now()),
        )
        states = {arrival.retailer: arrival.state for arrival in missing_retailers(connection, NIGHT)}
    assert states == {"coles": "not_planned", "iga": "under_way", "woolworths": "not_planned"}
    assert not is_due(warehouse, NIGHT) and overdue_night(warehouse) is None
    fixed_clock("2026-11-18T06:45:00+11:00")
    assert is_due(warehouse, NIGHT) and overdue_night(warehouse) == NIGHT
    assert [arrival.retailer for arrival in publish_bargains(warehouse, NIGHT).missing] == ["coles", "iga", "woolworths"]
    assert overdue_night(warehouse) is None
    fixed_clock("2026-11-18T06:40:00+11:00")
    with warehouse.transaction() as connection:
        connection.execute("DELETE FROM ops.crawl_plan")
    publish_prices(warehouse, storage, {retailer: lines for retailer, lines in prices.items() if retailer != "aldi"})
    assert is_due(warehouse, NIGHT)


def test_an_unknown_state_or_retailer_is_an_error(warehouse: Warehouse) -> None:
    assert find_bargains(warehouse)["publication"] is None
    with pytest.raises(ConfigurationError, match="unknown state 'XX'"):
        find_bargains(warehouse, "XX")
    with pytest.raises(ConfigurationError, match="unknown retailer 'tesco'"):
        find_bargains(warehouse, retailer="tesco")


def test_the_shown_time_is_that_of_the_clock(warehouse: Warehouse, storage: Storage) -> None:
    publish_bargains(warehouse, NIGHT)
    run = find_bargains(warehouse)["publication"]
    assert run["published_at"] == datetime.fromisoformat("2026-11-18T09:00:00+00:00") and run["bargains"] == 0

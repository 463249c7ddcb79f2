"""Publishing: the effects of a store-day on the prices of its store."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, gtin, offer, offers
from tests.warehouse.looking import cents, core_fingerprints, one, prices, rows

MONDAY = "2026-11-16T04:30:00+11:00"
LATER_WEDNESDAY = "2026-11-18T09:00:00+11:00"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_money_and_texts_arrive_as_written(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    line = offer(
        "007",
        4.1,
        name="  Zorbo  Tea ",
        brand="Zorbo",
        size="100 g",
        price_was=5,
        is_on_special=True,
        per_unit_price_string="$4.10 per 100 g",
        barcode=gtin(1),
    )
    publish(WEDNESDAY, [line, offer("8", 12), offer("9", 12.0), offer(10, 12.5), offer("11", 19999.99)])
    found = prices(warehouse)
    tea = found["007"]
    expected = {
        "price_cents": 410,
        "was_price_cents": 500,
        "unit_of_measure": "kg",
        "is_on_special": True,
        "is_available": True,
        "is_listed": True,
        "is_current": True,
        "is_confirmed": False,
    }
    assert {name: tea[name] for name in expected} == expected
    assert (tea["name"], tea["brand"], tea["size"], tea["barcode"], float(tea["unit_price"])) == (
        "Zorbo Tea",
        "Zorbo",
        "100 g",
        "0" + gtin(1),
        41.0,
    )
    assert (tea["source"], tea["anchor_store_id"], tea["observed_at"]) == ("observed", "G1", instant(WEDNESDAY))
    assert cents(warehouse) == {"007": 410, "8": 1200, "9": 1200, "10": 1250, "11": 1999999}


def test_an_unchanged_night_writes_one_store_row_and_no_price(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(TUESDAY, offers(50))
    before, prices_before = core_fingerprints(warehouse, physical=True), prices(warehouse)
    counts = publish(WEDNESDAY, offers(50))
    after = core_fingerprints(warehouse, physical=True)
    assert {table for table in before if before[table] != after[table]} == {"store"}
    assert (counts.unchanged, counts.updated, counts.created, counts.delisted) == (50, 0, 0, 0)
    assert {row["observed_at"] for row in prices(warehouse).values()} == {instant(WEDNESDAY)}, "all are refreshed through the watermark"
    assert {row["changed_at"] for row in prices(warehouse).values()} == {row["changed_at"] for row in prices_before.values()}


def test_observed_is_not_changed(warehouse: Warehouse, publish: Callable[..., Any], fixed_clock: Callable[[str], None]) -> None:
    fixed_clock("2026-11-17T00:00:00+00:00")
    publish(TUESDAY, [offer("1", 1.0), offer("2", 2.0)])
    first = prices(warehouse)
    fixed_clock("2026-11-18T00:00:00+00:00")
    counts = publish(WEDNESDAY, [offer("1", 1.0), offer("2", 2.5)])
    second = prices(warehouse)
    assert (counts.unchanged, counts.updated) == (1, 1)
    assert second["1"]["changed_at"] == first["1"]["changed_at"] < second["2"]["changed_at"] == instant("2026-11-18T00:00:00+00:00")
    assert second["1"]["observed_at"] == second["2"]["observed_at"] == instant(WEDNESDAY)


@pytest.mark.parametrize(
    "change",
    [{"price": 1.01}, {"price_was": 2.0}, {"is_on_special": True, "price_was": 3}, {"per_unit_price_string": "$2.00 per kg"}],
)  # fmt: skip
def test_each_published_value_counts_as_a_change(warehouse: Warehouse, publish: Callable[..., Any], change: dict[str, Any]) -> None:
    publish(TUESDAY, [offer("1")])
    counts = publish(WEDNESDAY, [offer(**{"sku": "1"} | change)])
    assert (counts.updated, counts.unchanged) == (1, 0)


def test_a_change_in_one_sku_is_never_hidden_by_another_of_the_same_price(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(TUESDAY, [offer("1", 1.0), offer("2", 2.0)])
    assert publish(WEDNESDAY, [offer("1", 2.0), offer("2", 1.0)]).updated == 2
    assert cents(warehouse) == {"1": 200, "2": 100}


def test_delist_and_relist(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(MONDAY, [offer("1"), offer("2", 2.0)])
    assert publish(TUESDAY, [offer("1")]).delisted == 1
    gone = prices(warehouse)["2"]
    assert (gone["is_listed"], gone["is_current"], gone["delisted_at"], gone["price_cents"]) == (False, False, instant(TUESDAY), 200)
    assert gone["observed_at"] == instant(MONDAY), "a delisted price was last observed when it was last listed"
    publish(WEDNESDAY, [offer("1")])
    assert prices(warehouse)["2"] == gone, "a store-day that does not list it either changes nothing"
    counts = publish(LATER_WEDNESDAY, [offer("1"), offer("2", 2.0)])
    back = prices(warehouse)["2"]
    assert counts.updated == 1 and (back["is_listed"], back["delisted_at"], back["observed_at"]) == (True, None, instant(LATER_WEDNESDAY))


def test_unavailable_keeps_the_last_price(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(TUESDAY, [offer("1", 3.0)])
    counts = publish(WEDNESDAY, [offer("1", None), offer("2", None)])
    assert (counts.unavailable, counts.quarantined, counts.delisted) == (2, 0, 0)
    (row,) = prices(warehouse).values()
    assert (row["sku"], row["price_cents"], row["is_available"], row["is_listed"], row["observed_at"]) == (
        "1",
        300,
        False,
        True,
        instant(WEDNESDAY),
    )
    publish(LATER_WEDNESDAY, [offer("1", 3.0)])
    assert prices(warehouse)["1"]["is_available"]


def test_a_flag_alone_never_makes_unavailable(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [offer("1", 3.0, is_available=False)])
    assert prices(warehouse)["1"]["is_available"]


def test_a_refused_line_is_neither_delisted_nor_refreshed(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(MONDAY, [offer("1"), offer("2", 2.0), offer("3")])
    publish(TUESDAY, [offer("1"), offer("2", 2.0), offer("3")])
    counts = publish(WEDNESDAY, [offer("1"), offer("2", -5)])
    assert (counts.quarantined, counts.delisted, counts.unchanged) == (1, 1, 1)
    refused = prices(warehouse)["2"]
    assert (refused["price_cents"], refused["is_listed"], refused["observed_at"]) == (200, True, instant(TUESDAY))
    publish(LATER_WEDNESDAY, [offer("1"), offer("2", 2.0)])
    assert prices(warehouse)["2"]["observed_at"] == instant(LATER_WEDNESDAY), "an accepted line refreshes it again"


def test_a_refused_line_with_an_accepted_duplicate_freezes_nothing(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(TUESDAY, [offer("1")])
    foreign = offer("1", 9.0, metadata={"store_id": "G9"})
    for at, lines in ((WEDNESDAY, [foreign, offer("1")]), (LATER_WEDNESDAY, [offer("1"), foreign])):
        counts = publish(at, lines)
        assert (counts.unchanged, counts.quarantined, counts.folded) == (1, 1, 0)
        assert prices(warehouse)["1"]["observed_at"] == instant(at) and cents(warehouse) == {"1": 100}


def test_no_line_is_folded_into_a_refused_one(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    counts = publish(
        WEDNESDAY,
        [offer("1", metadata={"store_id": "G9"}), offer("1"), offer("2", metadata={"scraped_at": "soon"}), offer("2"), offer("2")],
    )
    assert (counts.quarantined, counts.folded, counts.created) == (2, 1, 2) and cents(warehouse) == {"1": 100, "2": 100}


def test_duplicates_are_folded_and_conflicts_refused(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(TUESDAY, [offer("1"), offer("2"), offer("3")])
    counts = publish(
        WEDNESDAY,
        [offer("1", category_path=["A"]), offer("1", category_path=["B"]), offer("2", 2.0), offer("2", 3.0), offer("2", 2.0), offer("3")],
    )
    assert (counts.folded, counts.quarantined, counts.unchanged, counts.delisted) == (1, 3, 2, 0)
    assert cents(warehouse) == {"1": 100, "2": 100, "3": 100}


def test_an_older_store_day_publishes_products_and_no_price(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [offer("1", 2.0)])
    before = prices(warehouse)
    counts = publish(TUESDAY, [offer("1", 1.0), offer("9", 9.0, name="Only then", barcode=gtin(1))])
    assert (counts.outdated, counts.created, counts.updated) == (2, 0, 0) and prices(warehouse) == before
    assert one(warehouse, "SELECT name FROM core.sku WHERE sku = '9'") == "Only then"
    assert one(warehouse, "SELECT count(*) FROM core.product_alias") == 2
    assert one(warehouse, "SELECT name FROM core.sku WHERE sku = '1'") == "Thing 1"
    state = rows(warehouse, "SELECT state, state_reason FROM ops.staged_file ORDER BY file_id")[1]
    assert state["state"] == "superseded" and "products and aliases are published, prices are not" in state["state_reason"]


def test_an_older_store_day_changes_no_text(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [offer("1", name="New name")])
    publish(TUESDAY, [offer("1", name="Old name")])
    assert prices(warehouse)["1"]["name"] == "New name"


def test_a_later_store_day_of_the_same_day_wins(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [offer("1", 1.0)])
    publish(LATER_WEDNESDAY, [offer("1", 2.0)])
    assert cents(warehouse) == {"1": 200}


def test_an_incomplete_store_day_delists_nothing_and_writes_observed_at(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(TUESDAY, [offer("1"), offer("2"), offer("3")])
    changed_at = prices(warehouse)["1"]["changed_at"]
    counts = publish(WEDNESDAY, [offer("1"), offer("2", 5.0)], complete=False)
    assert (counts.unchanged, counts.updated, counts.delisted) == (1, 1, 0)
    found = prices(warehouse)
    assert [found[sku]["observed_at"] for sku in "123"] == [instant(WEDNESDAY), instant(WEDNESDAY), instant(TUESDAY)]
    assert found["1"]["changed_at"] == changed_at and cents(warehouse) == {"1": 100, "2": 500, "3": 100}


def test_a_complete_store_day_keeps_later_observations_of_an_incomplete_one(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(MONDAY, [offer("1", 1.0), offer("2", 1.0), offer("3", 1.0)])
    publish(WEDNESDAY, [offer("1", 3.0), offer("2", 3.0)], complete=False)
    counts = publish(TUESDAY, [offer("1", 2.0), offer("3", 2.0)])
    assert (counts.outdated, counts.updated, counts.delisted) == (1, 1, 0)
    found = prices(warehouse)
    assert {sku: (row["price_cents"], row["observed_at"]) for sku, row in found.items()} == {
        "1": (300, instant(WEDNESDAY)), "2": (300, instant(WEDNESDAY)), "3": (200, instant(TUESDAY)),
    }  # fmt: skip


def test_counts_of_every_file_add_up(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(TUESDAY, [offer("1"), offer("2"), offer("3")])
    publish(
        WEDNESDAY, [offer("1"), offer("2", 7), offer("4"), offer("4"), offer("5", None), offer("6", -1), b"{", offer("3", 1), offer("3", 2)]
    )
    publish(MONDAY, [offer("1"), offer("8", None), offer("8", None), b"[]"])
    for file in rows(warehouse, "SELECT * FROM ops.staged_file"):
        assert file["rows"] == sum(
            file[name] for name in ("created", "updated", "unchanged", "unavailable", "outdated", "folded", "quarantined")
        ), file
    assert one(warehouse, "SELECT count(*) FROM staging.offer") == one(warehouse, "SELECT count(*) FROM staging.loaded_file") == 0


def test_quarantine_keeps_the_unchanged_line(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [b'{"product": broken \xff\x00', offer("1", -1, name="Ünïcode"), offer("2")])
    first, second = rows(warehouse, "SELECT line_number, sku, reasons, raw_text, state FROM ops.quarantined_offer ORDER BY line_number")
    assert (first["line_number"], first["sku"], first["reasons"], first["raw_text"]) == (
        1,
        None,
        ["not_json"],
        '{"product": broken \ufffd\ufffd',
    )
    assert (second["sku"], second["reasons"], second["state"]) == ("1", ["price_not_positive"], "quarantined") and "Ünïcode" in second[
        "raw_text"
    ]


def test_the_file_moves_to_the_archive(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [offer("1")])
    assert list(storage.manifests(Stage.OUTBOX)) == [] and len(list(storage.manifests(Stage.ARCHIVE))) == 1


@pytest.mark.parametrize("character", ["x", "é", "\ufdfa", "\U00020000", "ΐ"])
def test_the_longest_accepted_texts_fit_every_index(warehouse: Warehouse, publish: Callable[..., Any], character: str) -> None:
    """A key of incompressible text: an index compresses repeated characters, so repeating one would not find its limit."""
    rng = random.Random(1)
    size = max(len(character.encode()), len(unicodedata.normalize("NFKD", character).encode()))

    def text(size_max: int) -> str:
        words = (character + "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size)) for _ in iter(int, 1))
        found = ""
        while len(unicodedata.normalize("NFKD", longer := f"{found} {next(words)}".strip()).encode()) <= size_max:
            found = longer
        return found

    publish(WEDNESDAY, [offer("1", 1.0, name=text(500), brand=text(300), size=text(300)), offer("2", 1.0, name=character * 501)])
    assert cents(warehouse)["1"] == 100
    assert ("2" in cents(warehouse)) is False


def test_two_stores_with_one_sku_keep_their_own_prices(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [offer("1", 1.0)], store_id="1147", retailer="iga")
    publish(WEDNESDAY, [offer("1", 2.0)], store_id="1148", retailer="iga")
    publish(WEDNESDAY, [offer("1", 3.0)], store_id="1147", retailer="woolworths")  # an id is unique only with its retailer
    found = [cents(warehouse, *store) for store in (("1147", "iga"), ("1148", "iga"), ("1147", "woolworths"))]
    assert found == [{"1": 100}, {"1": 200}, {"1": 300}]


def test_one_price_per_product_and_store(warehouse: Warehouse, publish: Callable[..., Any]) -> None:
    publish(WEDNESDAY, [offer("1", 2.0, barcode=gtin(1)), offer("2", 1.5, barcode=gtin(1)), offer("3", 9.0)])
    found = rows(warehouse, "SELECT sku, price_cents FROM core.product_price ORDER BY sku")
    assert [(row["sku"], row["price_cents"]) for row in found] == [("2", 150), ("3", 900)]


def test_an_available_price_of_a_product_comes_before_a_newer_or_lower_one_that_is_not(
    warehouse: Warehouse, publish: Callable[..., Any]
) -> None:
    publish(TUESDAY, [offer("1", 3.0, barcode=gtin(1)), offer("2", 1.5, barcode=gtin(1))])
    publish(WEDNESDAY, [offer("1", 3.0, barcode=gtin(1)), offer("2", None, barcode=gtin(1))])
    publish("2026-11-18T05:30:00+11:00", [offer("2", None, barcode=gtin(1))], complete=False)
    found = rows(warehouse, "SELECT sku, price_cents, is_available FROM core.product_price")
    assert found == [{"sku": "1", "price_cents": 300, "is_available": True}]


def test_current_follows_the_clock(warehouse: Warehouse, publish: Callable[..., Any], fixed_clock: Callable[[str], None]) -> None:
    publish(TUESDAY, [offer("1")])
    fixed_clock("2026-11-20T04:29:00+11:00")
    assert prices(warehouse)["1"]["is_current"]
    fixed_clock("2026-11-20T04:31:00+11:00")
    assert not prices(warehouse)["1"]["is_current"]

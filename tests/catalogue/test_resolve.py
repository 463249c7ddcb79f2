"""Resolution: the product of each SKU, and the cases left for review."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import permutations
from typing import Any

import pytest

from include.catalogue import resolve as resolution
from include.catalogue.proposals import decide_proposals, list_proposals
from include.catalogue.resolve import resolve
from include.ingestion import pipeline
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse
from tests.catalogue.catalogue_view import A, B, C, joined, proposals, same, tea
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, gtin, offer
from tests.sampling import sampled
from tests.warehouse.looking import contents, core_fingerprints, one, product_of, rows


def test_a_known_sku_keeps_its_product(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1"))
    met("coles", offer("9", name="Other", barcode=B))
    before = product_of(warehouse, "1")
    met("aldi", offer("1", name="Finest Leaves, now Green", size="120g"))
    assert product_of(warehouse, "1") == before
    assert one(warehouse, "SELECT name FROM core.sku WHERE sku = '1'") == "Finest Leaves, now Green"
    assert one(warehouse, "SELECT name FROM core.product WHERE product_id = %s", before) == "Zorbo Green Tea", (
        "a product's first name stays"
    )


def test_zero_padding_parts_skus(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", offer("007", name="A"), offer("7", name="B"), offer(8, name="C"))
    assert [row["sku"] for row in rows(warehouse, "SELECT sku FROM core.sku ORDER BY name")] == ["007", "7", "8"]
    assert not same(warehouse, ("aldi", "007"), ("aldi", "7"))


def test_the_barcode_comes_before_the_key(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("by-text"), offer("by-barcode", name="Leaves", barcode=A))
    met("aldi", tea("1", A))
    assert same(warehouse, ("aldi", "1"), ("coles", "by-barcode")) and joined(warehouse, "1") == "barcode"


def test_the_key_joins_across_retailers(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c"))
    met("aldi", tea("1", name="ZORBO Tea, green", size="100 g"))
    assert same(warehouse, ("aldi", "1"), ("coles", "c")) and joined(warehouse, "1") == "key" and proposals(warehouse) == []


def test_a_key_join_adds_the_barcode(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c"))
    met("aldi", tea("1", A))
    met("iga", offer("i", name="Zzz", barcode=A))
    assert same(warehouse, ("aldi", "1"), ("coles", "c"), ("iga", "i"))


def test_skus_meet_inside_a_batch(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met(
        "aldi",
        offer("1", name="X", barcode=A),
        offer("2", name="Y", barcode=A),
        tea("3"),
        tea("4"),
        tea("5", name="Zorbo Green Tea Bags of another kind"),
    )
    assert same(warehouse, ("aldi", "1"), ("aldi", "2")) and same(warehouse, ("aldi", "3"), ("aldi", "4"))
    assert not same(warehouse, ("aldi", "3"), ("aldi", "5")) and one(warehouse, "SELECT count(*) FROM core.product") == 3


@pytest.mark.parametrize("order", sampled(permutations([f"{A},{B}", f"{B},{C}", C, A]), 8))
def test_connected_barcodes_are_one_product_but_for_a_sku_with_those_of_two(
    warehouse: Warehouse, met: Callable[..., None], order: tuple[str, ...]
) -> None:
    met("aldi", *(offer(str(n), name=f"N{n}", barcode=barcode) for n, barcode in enumerate(order)))
    products: list[set[str]] = []
    for barcodes in order:
        mine = set(barcodes.split(","))
        known = [product for product in products if product & mine]
        if len(known) < 2:
            products = [product for product in products if product not in known] + [mine.union(*known)]
    assert one(warehouse, "SELECT count(DISTINCT product_id) FROM core.sku") == len(products)
    assert proposals(warehouse) == ["barcode_but_two_products"] * (len(products) - 1)
    found = rows(warehouse, "SELECT gtin, is_primary FROM core.product_barcode ORDER BY gtin")
    assert [row["gtin"] for row in found] == [f"0{code}" for code in (A, B, C)] and sum(row["is_primary"] for row in found) == len(products)


def test_a_barcode_learned_from_one_new_sku_joins_the_next(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", offer("c", name="C", barcode=A))
    met("aldi", offer("1", name="X", barcode=f"{A},{B}"), offer("2", name="Y", barcode=f"{B},{C}"), offer("3", name="Z", barcode=C))
    assert same(warehouse, ("coles", "c"), ("aldi", "1"), ("aldi", "2"), ("aldi", "3"))


def test_a_key_that_hits_two_products_joins_neither(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("a", A), tea("b", B))
    met("aldi", tea("1"))
    products = {product_of(warehouse, "a", "coles"), product_of(warehouse, "b", "coles"), product_of(warehouse, "1")}
    assert len(products) == 3 and proposals(warehouse).count("key_hits_several") == 2


def test_other_text_of_the_same_retailer_joins_nothing(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1"))
    met("aldi", tea("2", name="Zorbo Tea Green"))
    assert not same(warehouse, ("aldi", "1"), ("aldi", "2")) and proposals(warehouse) == ["same_retailer_text"]


def test_the_same_text_of_the_same_retailer_joins(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", tea("1"))
    met("aldi", tea("2"))
    assert same(warehouse, ("aldi", "1"), ("aldi", "2")) and proposals(warehouse) == []


def test_different_barcodes_with_one_key_are_proposed_for_review(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", A))
    met("aldi", tea("1", B))
    assert not same(warehouse, ("coles", "c"), ("aldi", "1")) and proposals(warehouse) == ["key_but_other_barcode"]


def test_a_decided_pair_is_not_proposed_again(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", A))
    met("aldi", tea("1", B))
    (found,) = list_proposals(warehouse)
    decide_proposals(warehouse, {found["proposal_id"]: "apart"}, "ann", "looked at both", "command line")
    met("aldi", tea("1", B), tea("1", B))
    met("coles", tea("c", A))
    assert [row["state"] for row in rows(warehouse, "SELECT state FROM ops.proposal")] == ["rejected"]


def test_an_own_label_never_joins_across_retailers(warehouse: Warehouse, met: Callable[..., None]) -> None:
    coles_tea: dict[str, Any] = {"name": "Coles Green Tea", "brand": "Coles", "size": "100g"}
    met("coles", offer("c", **coles_tea))
    met("aldi", offer("1", **coles_tea))
    assert one(warehouse, "SELECT own_label_of FROM core.product WHERE product_id = %s", product_of(warehouse, "c", "coles")) == "coles"
    assert not same(warehouse, ("coles", "c"), ("aldi", "1")) and proposals(warehouse) == []


def test_an_own_label_joins_no_other_retailers_product(warehouse: Warehouse, met: Callable[..., None]) -> None:
    coles_tea: dict[str, Any] = {"name": "Coles Green Tea", "brand": "Coles", "size": "100g"}
    met("aldi", offer("1", **coles_tea))
    met("coles", offer("c", **coles_tea))
    assert not same(warehouse, ("coles", "c"), ("aldi", "1"))


def test_sizes_that_differ_veto_a_join_by_key(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("coles", tea("c", size="100g"))
    key = one(warehouse, "SELECT product_key FROM core.product_alias")
    met("aldi", tea("1", size="150g"))
    assert not same(warehouse, ("coles", "c"), ("aldi", "1"))
    with warehouse.transaction() as connection:  # a key that leads to a product of another size, as an older rule may have left it
        connection.execute("UPDATE core.sku_identity SET size = '200g' WHERE name = 'Zorbo Green Tea' AND size = '100g'")
    met("iga", tea("i", size="100g"))
    assert key == one(warehouse, "SELECT product_key FROM core.product_alias WHERE product_id = %s", product_of(warehouse, "i", "iga"))
    assert not same(warehouse, ("coles", "c"), ("iga", "i"))


def test_the_order_of_lines_does_not_matter(make_warehouse: Callable[..., Warehouse], tmp_path: Any) -> None:
    lines = [
        tea("1"), tea("2"), tea("3", A), offer("4", name="Leaves", barcode=A), offer("5", name="Coffee", barcode=f"{B},{C}"), offer("6", name="Coffee", barcode=C),
        tea("7", name="Zorbo Tea Green"), offer("8", name="Zorbo Green Tea", brand="Zorbo", size="150g"), offer("9", name="Coles Tea", brand="Coles"),
    ]  # fmt: skip
    found = []
    for number, order in enumerate((lines, lines[::-1], lines[4:] + lines[:4], lines[::2] + lines[1::2])):
        warehouse, storage = make_warehouse(), Storage(f"file://{tmp_path / str(number)}")
        for retailer in ("coles", "aldi"):
            StoreDays(storage)(retailer, lines=order, run_key="r")
            pipeline.ingest(warehouse, storage, retailer)
        inside = contents(warehouse)
        found.append(
            {
                table: inside[table]
                for table in (
                    "core.product",
                    "core.product_barcode",
                    "core.product_alias",
                    "core.sku",
                    "ops.match_proposal",
                    "ops.barcode_conflict",
                )
            }
        )
    assert all(each == found[0] for each in found)


def test_of_two_store_days_the_newest_text_is_used(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(store_id="G2", at=WEDNESDAY, lines=[offer("1", name="New")])
    store_day(store_id="G1", at=TUESDAY, lines=[offer("1", name="Old", brand="Zorbo")])
    pipeline.ingest(warehouse, storage, "aldi")
    assert rows(warehouse, "SELECT name, brand FROM core.sku") == [{"name": "New", "brand": "Zorbo"}], (
        "values that only the older line has are used too"
    )
    store_day(store_id="G3", at="2026-11-18T05:00:00+11:00", lines=[offer("1", name="Newest", brand="Zorbo", size="1 kg")])
    store_day(store_id="G1", at="2026-11-18T06:00:00+11:00", lines=[offer("1", name="Newest")])
    pipeline.ingest(warehouse, storage, "aldi")
    assert one(warehouse, "SELECT name FROM core.sku") == "Newest"


NIGHTS = {"monday": "2026-11-16T04:30:00+11:00", "tuesday": "2026-11-17T04:30:00+11:00", "wednesday": "2026-11-18T04:30:00+11:00"}


@pytest.mark.parametrize("order", sampled(permutations(range(4)), 8), ids=str)
def test_the_newest_text_of_any_store_wins_in_every_order(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, order: tuple[int, ...]
) -> None:
    days = [("G1", "monday", "Tea"), ("G2", "tuesday", "Old Tea"), ("G1", "wednesday", "Tea"), ("G3", "monday", "Older Tea")]
    for position in order:
        store_id, night, name = days[position]
        store_day(store_id=store_id, at=NIGHTS[night], lines=[offer("7", name=name, brand=f"Brand of {name}")])
        pipeline.ingest(warehouse, storage, "aldi")
    assert rows(warehouse, "SELECT name, brand FROM core.sku") == [{"name": "Tea", "brand": "Brand of Tea"}]


@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_of_equal_instants_content_decides(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, order: tuple[int, ...], is_one_batch: bool
) -> None:
    texts = [("G1", "Tea", "Zorbo", None), ("G2", "tea", "Arbo", "10 g"), ("G3", "Tea", "zorbo", "9 g")]
    for position in order:
        store_id, name, brand, size = texts[position]
        store_day(store_id=store_id, lines=[offer("7", name=name, brand=brand, size=size)])
        if not is_one_batch:
            pipeline.ingest(warehouse, storage, "aldi")
    pipeline.ingest(warehouse, storage, "aldi")
    assert rows(warehouse, "SELECT name, brand, size FROM core.sku") == [{"name": "tea", "brand": "zorbo", "size": "9 g"}]


def test_resolving_twice_writes_nothing(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(lines=[tea("1"), tea("2", A), tea("3", B), offer("4", barcode=f"{A},{C}")])
    pipeline.load(warehouse, storage, "aldi")
    pipeline.check(warehouse, storage, "aldi")
    resolve(warehouse, "aldi")
    before = core_fingerprints(warehouse, physical=True)
    again = resolve(warehouse, "aldi")
    assert core_fingerprints(warehouse, physical=True) == before and (
        again.skus,
        again.products_created,
        again.moved,
        again.barcodes_learned,
    ) == (0, 0, 0, 0)


def test_refused_and_folded_lines_make_no_product(warehouse: Warehouse, met: Callable[..., None]) -> None:
    met("aldi", offer("1", -1), offer("2"), offer("2"), b"{", offer("3", name="Donation"))
    assert [row["sku"] for row in rows(warehouse, "SELECT sku FROM core.sku")] == ["2"]


def test_concurrent_retailers_create_a_shared_product_once(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    retailers = ("aldi", "coles", "iga", "woolworths")
    for retailer in retailers:
        # each in another order, so that careless locks would meet crosswise
        lines = [
            offer(f"{retailer}{n}", name=f"Thing number {n}", size=f"{n + 1}00g", barcode=gtin(n) if n % 2 else None) for n in range(60)
        ]
        store_day(retailer, lines=lines if retailer < "d" else lines[::-1])
        pipeline.load(warehouse, storage, retailer)
        pipeline.check(warehouse, storage, retailer)
    start, errors = threading.Barrier(len(retailers)), []
    # no brand: two that create one meet there already. Whoever has collected what it does not know waits a moment for the others: without the lock all would go on with the same
    meeting, read_texts = threading.Barrier(len(retailers), timeout=1), resolution._read_texts

    def read_and_wait(connection: Connection) -> None:
        read_texts(connection)
        with suppress(threading.BrokenBarrierError):
            meeting.wait()

    monkeypatch.setattr(resolution, "_read_texts", read_and_wait)

    def run(retailer: str) -> None:
        try:
            start.wait()
            pipeline.resolve(warehouse, storage, retailer)
            pipeline.publish(warehouse, storage, retailer)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(retailer,)) for retailer in retailers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == [] and not any(thread.is_alive() for thread in threads)
    assert one(warehouse, "SELECT count(*) FROM core.product") == 60
    assert one(warehouse, "SELECT min(n) FROM (SELECT count(DISTINCT retailer) AS n FROM core.sku GROUP BY product_id) AS x") == 4
    assert one(warehouse, "SELECT count(*) FROM core.price") == 240

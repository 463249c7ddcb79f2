"""The comparison of published prices with the truth, and the command that prints it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from include.cli import sandbox as command
from include.errors import TerminalError
from sandbox.verify import HttpTruth, PriceRow, verify
from sandbox.world import MultiBuy, TruthOffer

AT = datetime(2026, 11, 17, 17, tzinfo=UTC)
KEY = ("coles", "COL:584")


def offer(sku: str, price: int | None, was: int | None = None, barcode: str | None = None, **more: Any) -> TruthOffer:
    return TruthOffer(sku, "Oat Bars", "Mirrin", "6pk", barcode, price, was, was is not None, (), **more)


def row(
    sku: str,
    price: int | None,
    was: int | None = None,
    *,
    listed: bool = True,
    available: bool = True,
    barcode: str | None = None,
    product_id: int = 1,
    basis: str = "each",
    deal: tuple[int | None, int | None] = (None, None),
    key: Any = KEY,
    source: str = "observed",
    current: bool = True,
    confirmed: bool = True,
    at: datetime = AT,
) -> PriceRow:
    return PriceRow(
        retailer=key[0],
        store_id=key[1],
        sku=sku,
        price_cents=price,
        was_price_cents=was,
        price_basis=basis,
        multi_buy_quantity=deal[0],
        multi_buy_cents=deal[1],
        is_available=available,
        is_listed=listed,
        is_current=current,
        is_confirmed=confirmed,
        source=source,
        observed_at=at,
        barcode=barcode,
        product_id=product_id,
    )


def compare(rows: list[PriceRow], truth: list[TruthOffer], **more: Any) -> Any:
    return verify(rows, lambda retailer, store, at: iter(truth), {KEY: AT}, **more)


def counts(comparison: Any) -> tuple[int, int, int, int]:
    return comparison.right, comparison.wrong.count, comparison.missing.count, comparison.extra.count


def test_basis_and_multi_buy_belong_to_the_price() -> None:
    truth = [offer("1", 500, price_basis="kg"), offer("2", 300, multi_buy=MultiBuy(2, 500)), offer("3", 300)]
    published = [row("1", 500, basis="kg"), row("2", 300, deal=(2, 500)), row("3", 300)]
    assert counts(compare(published, truth)) == (3, 0, 0, 0)
    wrong = compare([row("1", 500), row("2", 300, deal=(2, 450)), row("3", 300, deal=(3, 800))], truth)
    assert counts(wrong) == (0, 3, 0, 0)
    assert "500 cents per each (was None), read" in wrong.wrong.samples[0] and "500 cents per kg" in wrong.wrong.samples[0]


def test_inferred_prices_are_judged_at_their_anchors_instant_and_reported_apart() -> None:
    later = AT + timedelta(days=2)
    before = [offer(str(number), 500) for number in range(300)]
    after = [offer(str(number), 600) for number in range(1, 300)]
    inferred = [row(str(number), 600, source="inferred", at=later) for number in range(2, 300)]

    def truth(retailer: str, store: str, at: datetime) -> Iterator[TruthOffer]:
        return iter(after if at == later else before)

    published = [row("0", 500), row("1", 500), *inferred]
    right = verify(published, truth, {KEY: AT})
    assert right.is_right and (counts(right), right.inferred.right) == ((2, 0, 0, 0), 298)
    published[5:8] = [
        row("5", 400, source="inferred", at=later), row("6", 400, source="inferred", at=later, confirmed=False),
        row("7", 600, source="inferred", at=later, listed=False),
    ]  # fmt: skip
    some = verify(published, truth, {KEY: AT})
    assert some.is_right and (some.inferred.right, some.inferred.wrong.count, some.inferred.uncertain, some.inferred.unlisted) == (
        295,
        1,
        1,
        1,
    )
    published[8] = row("0x", 600, source="inferred", at=later)
    published[9] = row("9", 601, source="inferred", at=later)
    wrong = verify(published, truth, {KEY: AT})
    assert not wrong.is_right and (wrong.inferred.wrong.count, wrong.inferred.absent) == (2, 1)
    assert "SKU 9: 601 cents per each (was None), the truth is 600 cents per each (was None)" in wrong.inferred.wrong.samples[1]


def test_the_truth_is_right() -> None:
    comparison = compare([row("1", 500), row("2", 300, 400)], [offer("1", 500), offer("2", 300, 400)])
    assert counts(comparison) == (2, 0, 0, 0) and comparison.is_right


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        (row("1", 501, 600), (0, 1, 0, 0)),
        (row("1", 500), (0, 1, 0, 0)),
        (row("1", 500, 599), (0, 1, 0, 0)),
        (row("1", None, 600), (0, 1, 0, 0)),
        (row("1", 500, 600, listed=False), (0, 0, 1, 0)),
        (row("9", 500, 600), (0, 0, 1, 1)),
        (row("9", 500, 600, listed=False), (0, 0, 1, 0)),
    ],
)
def test_each_fault_has_its_class(published: PriceRow, expected: tuple[int, int, int, int]) -> None:
    comparison = compare([published], [offer("1", 500, 600)])
    assert counts(comparison) == expected and not comparison.is_right


def test_unavailable_products_have_no_row_or_an_unavailable_one() -> None:
    truth = [offer("1", None)]
    assert counts(compare([], truth)) == counts(compare([row("1", 450, available=False)], truth)) == (1, 0, 0, 0)
    assert counts(compare([row("1", 450)], truth)) == (0, 1, 0, 0)


def test_delisted_rows_are_counted_and_are_not_a_fault() -> None:
    comparison = compare([row("1", 500), row("8", 100, listed=False)], [offer("1", 500)])
    assert comparison.is_right and comparison.delisted == 1


def test_stores_without_rows_and_rows_without_a_reference() -> None:
    other = ("iga", "10245")
    comparison = verify([row("1", 1, key=other)], lambda *_: iter([offer("1", 500)]), {KEY: AT})
    assert counts(comparison) == (0, 0, 1, 0) and (comparison.stores, comparison.not_compared) == (1, 1)


def test_rows_of_a_store_must_be_consecutive() -> None:
    with pytest.raises(TerminalError, match="Order the published rows by retailer, store_id"):
        compare([row("1", 1), row("1", 1, key=("iga", "1")), row("2", 1)], [])


def test_samples_are_limited_and_contain_both_prices() -> None:
    comparison = compare([row(str(number), 100) for number in range(50)], [offer(str(number), 200) for number in range(50)], samples=3)
    assert comparison.wrong.count == 50 and len(comparison.wrong.samples) == 3
    assert (
        "coles COL:584 SKU 0" in comparison.wrong.samples[0]
        and "100 cents" in comparison.wrong.samples[0]
        and "the truth is 200" in comparison.wrong.samples[0]
    )
    assert "0 right, 50 wrong, 0 missing, 0 extra" in next(comparison.lines())


def test_other_barcodes_are_counted_except_in_store_codes() -> None:
    rows = [row("1", 5, barcode="9301000000009"), row("2", 5, barcode="9301000000009"), row("3", 5, barcode="09301000000009")]
    comparison = compare(
        rows, [offer("1", 5, barcode="9301000000016"), offer("2", 5, barcode="2964005000008"), offer("3", 5, barcode="9301000000009")]
    )
    assert comparison.other_barcode.count == 1 and comparison.is_right


def published(world: Any) -> Iterator[PriceRow]:
    """The rows of a warehouse that matches a world exactly."""
    for retailer in ("aldi", "coles", "iga", "woolworths"):
        for store in sorted(world.stores(retailer), key=lambda store: store.store_id):
            for found in world.truth(retailer, store.store_id, AT):
                yield row(
                    found.sku,
                    found.price_cents,
                    found.was_price_cents,
                    available=found.price_cents is not None,
                    basis=found.price_basis,
                    deal=(found.multi_buy.quantity, found.multi_buy.total_cents) if found.multi_buy else (None, None),
                    key=(retailer, store.store_id),
                )


@pytest.mark.slow
def test_a_matching_warehouse_is_right_and_another_day_is_not(world: Any) -> None:
    stores = {
        (store.retailer, store.store_id): AT for retailer in ("aldi", "coles", "iga", "woolworths") for store in world.stores(retailer)
    }
    comparison = verify(published(world), world.truth, stores)
    assert comparison.is_right and comparison.right > 15_000 and comparison.stores == len(stores)
    week_later = verify(published(world), world.truth, {key: at + timedelta(days=7) for key, at in stores.items()})
    assert week_later.wrong.count > 2_000 and week_later.missing.count and week_later.extra.count


class InProcessTruth:
    """Replaces HTTP: the command's truth comes from a world in this process."""

    def __init__(self, url: str) -> None:
        assert url == "http://127.0.0.1:8700"

    def __call__(self, retailer: str, store_id: str, at: datetime) -> Iterator[TruthOffer]:
        return iter([offer("1", 500)])


@pytest.mark.parametrize(("price", "exit_code"), [(500, 0), (400, 1)])
def test_the_exit_code_follows_the_result(monkeypatch: pytest.MonkeyPatch, price: int, exit_code: int) -> None:
    monkeypatch.setattr("sandbox.verify.HttpTruth", InProcessTruth)
    monkeypatch.setattr(command, "domain", lambda _as_json: nullcontext((None, None)))
    monkeypatch.setattr("include.readers.published.stream_prices", lambda _warehouse: [row("1", price)])
    monkeypatch.setattr("include.readers.published.last_complete", lambda _warehouse: {KEY: AT})
    result = CliRunner().invoke(command.app, ["verify", "--json", "--url", "http://127.0.0.1:8700"])
    assert result.exit_code == exit_code
    assert json.loads(result.stdout)["is_right"] is (exit_code == 0)
    assert "1 stores" in CliRunner().invoke(command.app, ["verify", "--url", "http://127.0.0.1:8700"]).stdout


def test_a_recorded_world_without_a_folder_is_wrong_usage() -> None:
    assert CliRunner().invoke(command.app, ["serve", "--world", "recorded"]).exit_code == 2


def test_an_unreachable_sandbox_is_reported() -> None:
    with pytest.raises(TerminalError, match="aisleflow sandbox serve"):
        list(HttpTruth("http://127.0.0.1:1", timeout_seconds=0.5)("coles", "COL:584", AT))

"""Retraction of a store-day: the store's prices become as if it had never been published."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.errors import TerminalError
from include.ingestion import pipeline
from include.ingestion.release_lines import release_lines
from include.ingestion.retract import RetractionResult, retract
from include.staging import staged_file
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import Line, StoreDays, offer, offers
from tests.sampling import sampled
from tests.warehouse.looking import contents, one, prices, rows

A, B, C = "2026-11-16T04:30:00+11:00", "2026-11-17T04:30:00+11:00", "2026-11-18T04:30:00+11:00"
#: Columns of a price for readers, except when it changed here.
SEEN = (
    "sku", "price_cents", "was_price_cents", "unit_price", "is_on_special", "is_available", "is_listed", "delisted_at", "observed_at", "is_current",
)  # fmt: skip
MONDAY: list[Line] = [*offers(6), offer("7", 7.0), offer("8", 8.0), offer("9", 9.0)]


def seen(warehouse: Warehouse, store_id: str = "G1") -> dict[str, tuple[Any, ...]]:
    """The prices of a store for readers, without retracted ones."""
    gone = {
        row["sku"] for row in rows(warehouse, "SELECT sku FROM core.price JOIN core.sku USING (sku_key) WHERE retracted_at IS NOT NULL")
    }
    return {sku: tuple(row[name] for name in SEEN) for sku, row in prices(warehouse, store_id).items() if sku not in gone}


def watermark(warehouse: Warehouse) -> list[dict[str, Any]]:
    return rows(
        warehouse,
        "SELECT s.store_id, s.complete_at, f.content_hash FROM core.store AS s LEFT JOIN ops.staged_file AS f ON f.file_id = s.complete_file_id ORDER BY 1",
    )


def retract_file(warehouse: Warehouse, storage: Storage, file_id: int) -> RetractionResult:
    return retract(warehouse, storage, "aldi", "G1", file_id, "ann", "the shop's test system")


def forget(storage: Storage, index: int) -> None:
    """Remove one file from the archive, as its age does."""
    path = sorted(storage.manifests(Stage.ARCHIVE))[index]
    staged_file.remove(storage, staged_file.load_manifest(storage, path), Stage.ARCHIVE)


Changed = Sequence[tuple[str, list[Line], bool]]


@pytest.fixture
def worlds(make_warehouse: Callable[..., Warehouse], tmp_path: Path) -> Callable[..., tuple[Warehouse, Warehouse, Storage]]:
    """Publish nights in one warehouse, and in another without one of them; retract that one in the first."""

    def run(nights: Changed, bad: int) -> tuple[Warehouse, Warehouse, Storage]:
        wrong, right = make_warehouse(), make_warehouse()
        stores = [Storage(f"file://{tmp_path / name}") for name in ("wrong", "right")]
        for index, (at, lines, complete) in enumerate(nights):
            for warehouse, storage in zip((wrong, right), stores, strict=True):
                if warehouse is wrong or index != bad:
                    StoreDays(storage)(at=at, lines=lines, complete=complete)
                    pipeline.ingest(warehouse, storage, "aldi")
        retract_file(wrong, stores[0], bad + 1)
        return wrong, right, stores[0]

    return run


BAD: dict[str, list[Line]] = {
    "other prices": [offer(str(n), 50.0 + n, price_was=90, is_on_special=True) for n in range(1, 10)],
    "half is missing": offers(4),
    "nothing changed": MONDAY,
    "unavailable": [*offers(6), offer("7", None), offer("8", None), offer("9", 9.0)],
    "refused": [*offers(6), offer("7", -1), offer("8", 0), offer("9", 9.5)],
    "new SKUs": [*MONDAY, *offers(5, start=100)],
}


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("bad", BAD)
def test_retracting_the_newest_restores_the_one_before(worlds: Callable[..., Any], bad: str, complete: bool) -> None:
    wrong, right, _ = worlds([(A, MONDAY, True), (B, BAD[bad], complete)], 1)
    assert seen(wrong) == seen(right)
    assert watermark(wrong) == watermark(right)
    assert one(wrong, "SELECT count(*) FROM staging.offer") == 0 and one(wrong, "SELECT count(*) FROM core.store") == 1


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("later", [MONDAY, offers(8), BAD["refused"]])
def test_retracting_a_middle_one_leaves_no_trace(worlds: Callable[..., Any], bad: str, later: list[Line]) -> None:
    wrong, right, _ = worlds([(A, MONDAY, True), (B, BAD[bad], True), (C, later, True)], 1)
    assert seen(wrong) == seen(right)
    assert watermark(wrong) == watermark(right)


@pytest.mark.parametrize("seed", sampled(range(200), 5))
def test_any_sequence_of_nights(worlds: Callable[..., Any], seed: int) -> None:
    rng = random.Random(seed)
    known = [str(n) for n in range(1, 13)]
    nights = []
    for index in range(5):
        lines: list[Line] = []
        for sku in known:
            kind = rng.choices(["same", "dearer", "absent", "unavailable", "refused"], [5, 3, 2, 1, 1])[0]
            if kind != "absent":
                lines.append(offer(sku, {"dearer": 2.0 + index, "unavailable": None, "refused": -1}.get(kind, 1.0)))
        at = datetime(2026, 11, 13, 18, 0, tzinfo=UTC) + timedelta(days=index)
        nights.append((at.isoformat(), lines or offers(1), rng.random() < 0.7))
    wrong, right, _ = worlds(nights, rng.randrange(5))
    assert seen(wrong) == seen(right)
    assert watermark(wrong) == watermark(right)


def test_incremental_readers_get_every_correction(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], fixed_clock: Callable[[str], None]
) -> None:
    publish(A, MONDAY)
    publish(B, [*offers(6), offer("7", 70.0), offer("8", 8.0), offer("100", 1.0)])
    cursor = max(row["changed_at"] for row in prices(warehouse).values())
    fixed_clock("2026-11-18T10:00:00+00:00")
    retract_file(warehouse, storage, 2)
    changes = {sku: (row["price_cents"], row["is_listed"]) for sku, row in prices(warehouse).items() if row["changed_at"] > cursor}
    assert changes == {"7": (700, True), "9": (900, True), "100": (100, False)}, "corrected, listed again, withdrawn; nothing else"


def test_the_change_log_has_only_the_corrections(
    make_warehouse: Callable[..., Warehouse], storage: Storage, store_day: StoreDays, fixed_clock: Callable[[str], None]
) -> None:
    warehouse = make_warehouse(change_log=True)
    for at, lines in ((A, MONDAY), (B, [*offers(6), offer("7", 70.0), offer("8", 8.0), offer("100", 1.0)])):
        store_day(at=at, lines=lines)
        pipeline.ingest(warehouse, storage, "aldi")
    before = one(warehouse, "SELECT count(*) FROM core.price_change")
    fixed_clock("2026-11-18T10:00:00+00:00")
    retract_file(warehouse, storage, 2)
    found = rows(
        warehouse,
        "SELECT sku, change_kind, old_price_cents, new_price_cents FROM core.price_change JOIN core.sku USING (sku_key) WHERE changed_at > %s ORDER BY sku",
        datetime(2026, 11, 18, 9, 30, tzinfo=UTC),
    )
    assert [tuple(row.values()) for row in found] == [
        ("100", "delisted", 100, None),
        ("7", "changed", 7000, 700),
        ("9", "relisted", 900, 900),
    ]
    assert one(warehouse, "SELECT count(*) FROM core.price_change") == before + 3
    assert one(warehouse, "SELECT count(DISTINCT store_key) FROM core.price_change") == 1


def test_the_first_store_day_ever(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(A, MONDAY)
    done = retract_file(warehouse, storage, 1)
    assert (done.withdrawn, done.unknown, done.restored, done.complete_at) == (9, 0, 0, None)
    assert not any(row["is_listed"] or row["is_available"] for row in prices(warehouse).values())
    assert one(warehouse, "SELECT count(*) FROM core.sku") == 9, "products and SKUs stay"
    assert one(warehouse, "SELECT complete_at FROM core.store") is None


def test_a_withdrawn_price_never_comes_back_by_itself(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(A, [*offers(6), offer("7", 70.0)])
    retract_file(warehouse, storage, 1)
    publish(B, [*offers(6), offer("7", None)])
    assert not prices(warehouse)["7"]["is_listed"], "unavailable: and no price of it was ever right"
    publish(C, [*offers(6), offer("7", 7.0)])
    assert (prices(warehouse)["7"]["price_cents"], prices(warehouse)["7"]["is_listed"]) == (700, True)
    assert one(warehouse, "SELECT count(*) FROM core.price WHERE retracted_at IS NOT NULL") == 0


def test_a_price_only_the_retracted_store_day_gave_is_withdrawn_although_unavailable_since(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]
) -> None:
    publish(A, MONDAY)
    publish(B, [*MONDAY, offer("70", 70.0)])
    publish(C, [*MONDAY, offer("70", None)])
    assert retract_file(warehouse, storage, 2).withdrawn == 1
    assert not prices(warehouse)["70"]["is_listed"]


def test_after_a_retraction_an_earlier_price_is_not_outdated(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(B, [*MONDAY, offer("70", 70.0)])
    retract_file(warehouse, storage, 1)
    assert publish(A, [*MONDAY, offer("70", 7.0)]).outdated == 0
    assert (prices(warehouse)["70"]["price_cents"], prices(warehouse)["70"]["is_listed"]) == (700, True)


@pytest.mark.parametrize(
    "twin", [offer("7", 7.0, url="x" * 3_000), offer("7", "seven"), offer("7", 7.0, metadata={"store_id": "G9"})], ids=str
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_product_whose_line_had_a_refused_twin_is_restored(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], twin: Line, is_first: bool
) -> None:
    twins = [twin, offer("7", 7.0)] if is_first else [offer("7", 7.0), twin]
    publish(A, [*offers(6), *twins])
    publish(B, [*offers(6), offer("7", 70.0)])
    retract_file(warehouse, storage, 2)
    assert (prices(warehouse)["7"]["price_cents"], prices(warehouse)["7"]["is_listed"]) == (700, True)


def test_without_the_earlier_file_unknown_prices_are_marked_and_reported(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]
) -> None:
    publish(A, MONDAY)
    publish(B, [*offers(6), offer("7", 70.0), offer("8", -1)])  # 9 is missing, 8 refused, 7 changed
    forget(storage, 0)

    done = retract_file(warehouse, storage, 2)

    assert (done.unknown, done.unknown_skus, done.missing_files, done.withdrawn, done.relisted) == (1, ("7",), (1,), 0, 2)
    found = prices(warehouse)
    assert (found["9"]["price_cents"], found["9"]["is_listed"]) == (900, True), "its own price was in the row still"
    assert (found["8"]["is_listed"], found["8"]["observed_at"].isoformat()) == (True, "2026-11-15T17:30:00+00:00")
    assert (found["7"]["is_listed"], found["7"]["is_available"]) == (False, False), "its earlier price is unknown and not guessed"
    assert found["1"]["observed_at"].isoformat() == "2026-11-15T17:30:00+00:00"
    assert one(warehouse, "SELECT detail ->> 'unknown' FROM ops.decision WHERE choice = 'retract'") == "1"


def test_without_a_later_file_nothing_is_guessed(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(A, MONDAY)
    publish(B, BAD["other prices"])
    publish(C, BAD["other prices"])
    forget(storage, 2)
    before = contents(warehouse)
    with pytest.raises(TerminalError, match="the prices it confirmed are unknown, so nothing was changed"):
        retract_file(warehouse, storage, 2)
    assert contents(warehouse) == before


def test_released_lines_count_with_their_store_day(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(A, [*offers(6), offer("7", 7.0, name="Donation Tin")])
    release_lines(warehouse, storage, 1, "ann", "a tin", lines=[7])
    publish(B, [*offers(6), offer("7", 70.0)])
    retract_file(warehouse, storage, 2)
    assert (prices(warehouse)["7"]["price_cents"], prices(warehouse)["7"]["is_listed"]) == (700, True)


def test_a_second_retraction_is_reported(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(A, MONDAY)
    publish(B, BAD["other prices"])
    retract_file(warehouse, storage, 2)
    before = contents(warehouse)
    assert retract_file(warehouse, storage, 2).earlier_retraction == "ann retracted it on 2026-11-18 09:00 UTC: the shop's test system"
    assert contents(warehouse) == before
    file = rows(warehouse, "SELECT state, decided_by, decision_reason FROM ops.staged_file WHERE file_id = 2")
    assert file == [{"state": "discarded", "decided_by": "ann", "decision_reason": "the shop's test system"}]


def test_other_stores_are_left_alone(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(A, MONDAY)
    publish(B, BAD["other prices"])
    publish(B, BAD["other prices"], store_id="G2")
    before = prices(warehouse, "G2")
    retract_file(warehouse, storage, 2)
    assert prices(warehouse, "G2") == before


def test_a_kill_leaves_no_partial_retraction(
    warehouse: Warehouse, storage: Storage, publish: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(A, MONDAY)
    publish(B, BAD["other prices"])
    before = contents(warehouse)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("include.ingestion.retract.decide", killed)  # all rows are restored by then
        with pytest.raises(KeyboardInterrupt):
            retract_file(warehouse, storage, 2)
    assert contents(warehouse) == before
    retract_file(warehouse, storage, 2)
    assert prices(warehouse)["1"]["price_cents"] == 100


def test_an_unpublished_file_cannot_be_retracted(warehouse: Warehouse, storage: Storage, publish: Callable[..., Any]) -> None:
    publish(B, MONDAY)
    publish(A, MONDAY)  # older: superseded
    with pytest.raises(TerminalError, match="is superseded: none of its prices is published"):
        retract_file(warehouse, storage, 2)
    with pytest.raises(TerminalError, match="file 9 is not a store-day of aldi:G1: the ledger has no such file"):
        retract_file(warehouse, storage, 9)
    with pytest.raises(TerminalError, match="file 1 is not a store-day of aldi:G7: it belongs to aldi:G1"):
        retract(warehouse, storage, "aldi", "G7", 1, "ann", "why not")
    with pytest.raises(TerminalError, match="needs a reason"):
        retract(warehouse, storage, "aldi", "G1", 1, "ann", " ")
    done = retract_file(warehouse, storage, 1)
    assert done.outdated_files == (2,), "it published no prices because this one was newer, which is reported"


def test_what_a_retracted_store_day_said_of_names_still_counts(strict_warehouse: Warehouse, storage: Storage) -> None:
    """A day that only confirms a name leaves its instant in the store's prices, where the retraction takes it away."""
    stage = StoreDays(storage)
    for at in (A, C):
        stage(at=at, lines=[offer(str(number), 5.0, name=f"Black Tea No {number}") for number in range(1, 10)])
        pipeline.ingest(strict_warehouse, storage, "aldi")
    retract_file(strict_warehouse, storage, 2)
    stage(store_id="G2", at=B, lines=[offer(str(number), 5.0, name=f"Black  Tea No. {number}") for number in range(1, 10)])
    pipeline.ingest(strict_warehouse, storage, "aldi")
    assert one(strict_warehouse, "SELECT name FROM core.sku WHERE sku = '3'") == "Black Tea No 3"

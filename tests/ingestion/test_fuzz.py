"""For any content of lines and files: no crash, every line counted, nothing in the warehouse that breaks a rule, the same result each time.

Every failure names its seed and shows the line. ``make campaign ARGS="-k fuzz"`` runs a million lines and a thousand files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include import clock
from include.config import Settings
from include.ingestion import pipeline
from include.ledger.decisions import decide_files
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.mutating import Mutator
from tests.ingestion.oracle import ExpectedOutcome, predict
from tests.ingestion.store_days import StoreDays, offer
from tests.warehouse.looking import cents, contents, rows

EVENING = datetime(2026, 11, 17, 17, 30, tzinfo=UTC)
#: Nothing holds a store-day here: each of these has more damage than a bad year.
LOOSE = {
    name: max((limit.le for limit in field.metadata if hasattr(limit, "le")), default=10**6)
    for name, field in Settings.model_fields.items()
    if name.startswith("hold_") and "row_count" not in name and "goods" not in name
}


class Night:
    """Mutated store-days of several stores, ingested together and compared with the oracle."""

    def __init__(self, warehouse: Warehouse, storage: Storage, retailer: str = "aldi") -> None:
        self.warehouse, self.storage, self.retailer = warehouse, storage, retailer
        self.lines = 0
        self.outcomes: dict[str, list[ExpectedOutcome]] = {}
        self.staged: list[tuple[int, str, bytes, ExpectedOutcome, datetime]] = []

    def stage(self, seed: int, store_id: str, lines: int, at: datetime = EVENING) -> None:
        """Mutate one store-day, predict its outcome and stage it."""
        data = b"".join(line + b"\n" for line in Mutator(seed, self.retailer, store_id, at).lines(lines))
        self._stage(seed, store_id, data, predict(data, self.retailer, store_id, "VIC", at, clock.now()), at)

    def stage_again(self, other: Night) -> None:
        """Stage what another night has staged."""
        for staged in other.staged:
            self._stage(*staged)

    def _stage(self, seed: int, store_id: str, data: bytes, outcome: ExpectedOutcome, at: datetime) -> None:
        StoreDays(self.storage)(
            self.retailer,
            store_id,
            at=at.isoformat(),
            lines=[data[:-1]],
            run_key=f"seed-{seed}",
            rows=len(outcome.lines),
            last_observed_at=at,
        )
        self.lines += len(outcome.lines)
        self.outcomes.setdefault(store_id, []).append(outcome)
        self.staged.append((seed, store_id, data, outcome, at))

    def ingest(self) -> None:
        """Ingest all; what is held all the same is released."""
        pipeline.ingest(self.warehouse, self.storage, self.retailer)
        held = rows(self.warehouse, "SELECT file_id FROM ops.staged_file WHERE state = 'held'")
        for file in held:
            decide_files(self.warehouse, self.storage, [file["file_id"]], "release", "fuzz", "to see its lines published", "command line")
        if held:
            pipeline.ingest(self.warehouse, self.storage, self.retailer)

    def compare(self) -> None:
        """Compare every line of every staged file with the ledger, the quarantine and the prices."""
        for seed, store_id, _, outcome, _ in self.staged:
            (file,) = rows(self.warehouse, "SELECT * FROM ops.staged_file WHERE store_id = %s AND run_key = %s", store_id, f"seed-{seed}")
            assert file["state"] == "published", f"seed {seed}, store {store_id}: {file['state']}: {file['state_reason']}"
            kept = {
                row["line_number"]: row
                for row in rows(
                    self.warehouse, "SELECT line_number, reasons, raw_text FROM ops.quarantined_offer WHERE file_id = %s", file["file_id"]
                )
            }
            for number in sorted(kept.keys() ^ outcome.refused.keys()):
                actual = f"refused for {kept[number]['reasons']}" if number in kept else "let through"
                raise AssertionError(
                    f"seed {seed}, store {store_id}, line {number} was {actual}; it should be "
                    f"{outcome.refused.get(number, 'let through')}:\n{outcome.lines[number][:3000]!r}"
                )
            for number, row in kept.items():
                printable = outcome.lines[number][:80_000].decode("utf-8", "replace").replace("\x00", "\ufffd")
                assert (
                    row["reasons"]
                    and row["raw_text"] == printable[: len(row["raw_text"])]
                    and len(row["raw_text"]) >= min(len(printable), 2_000)
                ), (seed, number)
            counted = {name: file[name] for name in ("created", "updated", "unchanged", "unavailable", "outdated", "folded", "quarantined")}
            assert sum(counted.values()) == file["rows"] == len(outcome.lines), f"seed {seed}: {counted} of {len(outcome.lines)} lines"
            without = sum(line.cents is None for line in outcome.accepted.values())
            assert (counted["folded"], counted["quarantined"], counted["unavailable"]) == (
                len(outcome.folded),
                len(outcome.refused),
                without,
            ), f"seed {seed}: {counted}"
        self._compare_prices()

    def _compare_prices(self) -> None:
        known = rows(
            self.warehouse,
            "SELECT store_id, sku, price_cents, was_price_cents, is_on_special, is_available, is_listed, observed_at FROM core.store_price WHERE retailer = %s",
            self.retailer,
        )
        by_store: dict[str, dict[str, dict[str, Any]]] = {}
        for row in known:
            by_store.setdefault(row["store_id"], {})[row["sku"]] = row
        for seed, store_id, *_ in self.staged:
            found, outcomes = by_store.get(store_id, {}), self.outcomes[store_id]
            offered = {
                (sku, line.cents, line.was_cents, line.is_on_special) for outcome in outcomes for sku, line in outcome.prices.items()
            }
            for sku, row in found.items():
                values = (sku, row["price_cents"], row["was_price_cents"], row["is_on_special"])
                assert values in offered, f"seed {seed}, store {store_id}: the warehouse has {values}, and no valid line has it"
            expected = {sku for outcome in outcomes for sku in outcome.prices}
            assert found.keys() == expected, f"seed {seed}, store {store_id}: SKUs {sorted(found.keys() ^ expected)[:5]}"
            if len(outcomes) == 1:
                assert all(row["is_listed"] and row["is_available"] for row in found.values()), f"seed {seed}, store {store_id}"


Nights = Callable[[str], Night]


@pytest.fixture
def night(make_warehouse: Callable[..., Warehouse], storage: Storage) -> Nights:
    """Make nights, each with a separate warehouse and storage."""
    return lambda name: Night(make_warehouse(**LOOSE), Storage(f"{storage.url}/{name}"))


def test_five_thousand_mutated_lines(night: Nights) -> None:
    one, again = night("one"), night("again")
    for seed in range(8):
        one.stage(seed, f"G{seed % 6}", 650, EVENING - timedelta(hours=seed // 6 * 5))
    again.stage_again(one)
    for night_run in (one, again):
        night_run.ingest()
    assert one.lines >= 5_000
    one.compare()
    first = contents(one.warehouse)
    assert first == contents(again.warehouse), "the same lines give the same warehouse"
    pipeline.ingest(one.warehouse, one.storage, "aldi")
    assert contents(one.warehouse) == first, "and once is enough"


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1000, 1020))
def test_a_million_mutated_lines(night: Nights, seed: int, record_property: Callable[[str, object], None]) -> None:
    """Fifty thousand lines a seed: four stores, and for two of them an earlier store-day."""
    night_run = night("one")
    for number in range(6):
        night_run.stage(seed * 10 + number, f"G{number % 4}", 8_400, EVENING - timedelta(hours=number // 4 * 5))
    night_run.ingest()
    night_run.compare()
    first = contents(night_run.warehouse)
    pipeline.ingest(night_run.warehouse, night_run.storage, "aldi")
    assert contents(night_run.warehouse) == first, f"seed {seed}: a second run changed something"
    record_property("lines", night_run.lines)
    record_property("lines refused", sum(len(outcome.refused) for outcomes in night_run.outcomes.values() for outcome in outcomes))


def test_the_mutations_reach_every_rule(night: Nights) -> None:
    """Or the test above would be a soft one."""
    from include.model.rules import ROW_RULES

    night_run = night("one")
    night_run.stage(99, "G1", 12_000)
    night_run.ingest()
    met = {
        reason
        for row in rows(night_run.warehouse, "SELECT DISTINCT unnest(reasons) AS reason FROM ops.quarantined_offer")
        for reason in row.values()
    }
    unmet = {rule.rule_id for rule in ROW_RULES if rule.severity == "refuse"} - met
    assert unmet <= {"line_too_long", "price_far_from_known"}, "without an earlier night no price is known"
    (outcome,) = night_run.outcomes["G1"]
    assert len(outcome.refused) > 2_000 and len(outcome.accepted) > 5_000 and len(outcome.folded) > 30


@pytest.mark.parametrize("number", ["1e2000000000", "-1e2000000000", "1e-2000000000", "1e999999999999999999", "9" * 5_000])
def test_a_number_beyond_all_bounds_costs_its_line_only(warehouse: Warehouse, storage: Storage, store_day: StoreDays, number: str) -> None:
    """The first two stopped a retailer's ingestion: Python's decimals overflow when they calculate."""
    line = json.dumps(offer("2", metadata={"company": "aldi", "store_id": "G1"})).replace("1.0", number, 1).encode()
    store_day(lines=[offer("1"), line, offer("3")])
    counts = pipeline.ingest(warehouse, storage, "aldi").published
    assert (counts.created, counts.quarantined) == (2, 1) and number.encode() in line


@pytest.mark.parametrize(
    "spoilt", [{"url": "w" * 2_001}, {"category_path": ["c" * 1_001]}, {"metadata": {"scraped_at": "1970-01-01T00:00:00+00:00"}}]
)
def test_a_valid_line_is_not_folded_into_a_refused_duplicate(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, spoilt: dict[str, Any]
) -> None:
    refused = offer("1", 2.0, **spoilt)
    store_day(lines=[refused, offer("1", 2.0), offer("1", 2.0)], observed_at=EVENING)
    counts = pipeline.ingest(warehouse, storage, "aldi").published
    assert (counts.created, counts.folded, counts.quarantined) == (1, 1, 1) and cents(warehouse) == {"1": 200}

"""The quality gate between staging and publishing: marks lines as refused and holds store-days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from include import clock
from include.config import Settings
from include.errors import TerminalError
from include.ingestion.checks import batch, store_days, suite
from include.ingestion.checks.comparing import Comparison, compare
from include.ingestion.checks.marking import mark_refused
from include.ingestion.checks.measuring import StoreDay, measure
from include.ingestion.checks.recording import record_check, record_rule_results
from include.ingestion.checks.store_days import RuleResult
from include.ledger.completeness import estimate_completeness
from include.ledger.files import next_round
from include.ledger.settling import count_goods, hold, mark_checked, save_movements
from include.model.rules import BY_ID, CATALOGUE_VERSION
from include.warehouse.engine import Connection, Warehouse, lock


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Result of a check: lines per broken rule over its store-days, and the reason of each store-day held.

    ``remaining``: loaded store-days that are checked after these are published.
    """

    files: int = 0
    remaining: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    held: dict[int, str] = field(default_factory=dict)

    def __add__(self, other: CheckReport) -> CheckReport:
        broken = {rule: self.broken.get(rule, 0) + other.broken.get(rule, 0) for rule in self.broken | other.broken}
        return CheckReport(self.files + other.files, other.remaining, broken, self.held | other.held)


#: Runs the suite on a batch: :func:`include.ingestion.checks.suite.count_broken`, or a helper's.
CountBroken = Callable[[str, Sequence[int], Callable[[dict[str, Any]], object]], dict[str, int]]


def check(warehouse: Warehouse, retailer: str, count_broken: CountBroken | None = None) -> CheckReport:
    """Check the next round of a retailer's loaded store-days: of the earliest date, each the oldest unpublished one of its store.

    So everything is compared with what is published, and a verdict does not depend on how store-days were batched. An ordinary
    night is one round; of a backlog each round is published before the next is checked.
    Marks refused lines in ``staging.offer``, records all results, sets store-days that break a store-level rule
    to ``held``, and the whole batch if it breaks a retailer-level rule (except released store-days).
    Safe to repeat: checked files are not checked again.

    Raises:
        TerminalError: suite and single pass count differently: the catalogue is broken, nothing was marked.
    """
    comparisons = _compare(warehouse, retailer)
    with warehouse.transaction() as connection:
        lock(connection, f"check:{retailer}")
        store_days, remaining = next_round(connection, retailer, CATALOGUE_VERSION)
        # what another run has checked or published since the comparison is left out, what it has loaded since is checked next
        file_ids = [file_id for file_id in (int(day["file_id"]) for day in store_days) if file_id in comparisons]
        remaining += len(store_days) - len(file_ids)
        if passed := _already_passed(connection, file_ids):
            mark_refused(connection, passed)
            mark_checked(connection, passed, CATALOGUE_VERSION, None)
            file_ids = [file_id for file_id in file_ids if file_id not in passed]
        if not file_ids:
            return CheckReport(len(passed), remaining)
        broken = mark_refused(connection, file_ids)
        # the suite reads on a separate connection: it sees the staged rows, and its counts do not depend on the marks
        evaluations: list[dict[str, Any]] = []
        expected = broken if warehouse.is_dry_run else (count_broken or suite.count_broken)(warehouse.url, file_ids, evaluations.append)
        if expected != broken:
            differ = {rule: (expected[rule], broken[rule]) for rule in expected if expected[rule] != broken[rule]}
            raise TerminalError(
                f"check {retailer}: the suite and the single pass count differently for {differ} (suite, pass). Correct the predicates in include/model/rules.py; nothing was marked."
            )
        now = clock.now()  # the same instant for all store-days of the batch
        check_id = record_check(connection, retailer, file_ids, broken, next(iter(evaluations), None), now)
        count_goods(connection, file_ids)
        estimate_completeness(connection, file_ids, warehouse.settings.complete_rows_share, warehouse.settings.baseline_days)
        found = _evaluate(measure(connection, retailer, file_ids, comparisons, warehouse.settings), warehouse.settings)
        record_rule_results(connection, check_id, found, now)
        save_movements(connection, {file_id: comparisons[file_id].movement() for file_id in file_ids})
        held = hold(connection, check_id, _reasons(found, len(file_ids)))
        mark_checked(connection, file_ids, CATALOGUE_VERSION, now)
        return CheckReport(len(passed) + len(file_ids), remaining, {rule: lines for rule, lines in broken.items() if lines}, held)


def mark_lines(connection: Connection, file_id: int, settings: Settings) -> None:
    """Mark the staged lines of one file that the rules refuse, the one about known prices included."""
    day = connection.execute(
        "SELECT file_id, retailer, observed_at, last_observed_at, manifest ->> 'state' AS state FROM ops.staged_file WHERE file_id = %s",
        (file_id,),
    ).fetchone()
    assert day is not None
    compare(connection, day["retailer"], [day], settings)
    mark_refused(connection, [file_id])


def _compare(warehouse: Warehouse, retailer: str) -> dict[int, Comparison]:
    """Compare the next round with the known prices. In a transaction of its own: the suite reads the marked lines on another connection."""
    with warehouse.transaction() as connection:
        lock(connection, f"check:{retailer}")
        store_days, _ = next_round(connection, retailer, CATALOGUE_VERSION)
        return compare(connection, retailer, store_days, warehouse.settings) if store_days else {}


def _already_passed(connection: Connection, file_ids: Sequence[int]) -> list[int]:
    """Return the files that passed or were released before a server crash deleted their staged lines.

    Their lines are only marked again. The earlier result stays valid: a new check would evaluate an incomplete batch, part of which may
    be published already.
    """
    rows = connection.run("quality/list_passed", {"file_ids": list(file_ids), "version": CATALOGUE_VERSION}).fetchall()
    return [int(row["file_id"]) for row in rows]


def _evaluate(days: Sequence[StoreDay], settings: Settings) -> list[tuple[int, RuleResult]]:
    """Return the result of every rule for every store-day; retailer-level results are repeated for each."""
    own = [(day.file_id, rule_result) for day in days for rule_result in store_days.evaluate(day, settings)]
    held = {file_id for file_id, rule_result in own if _is_holding(rule_result)}
    together = batch.evaluate(days, held, settings)
    return own + [(day.file_id, rule_result) for day in days for rule_result in together]


def _is_holding(rule_result: RuleResult) -> bool:
    return rule_result.failed > 0 and BY_ID[rule_result.rule_id].severity == "critical"


def _reasons(found: Sequence[tuple[int, RuleResult]], files: int) -> dict[int, list[str]]:
    reasons: dict[int, list[str]] = {}
    for file_id, rule_result in found:
        if _is_holding(rule_result):
            together = f"; all {files} store-days checked together are held" if rule_result.rule_id in batch.RULE_IDS and files > 1 else ""
            reasons.setdefault(file_id, []).append(
                f"{rule_result.rule_id}: {BY_ID[rule_result.rule_id].reason} ({rule_result.detail}{together})"
            )
    return reasons

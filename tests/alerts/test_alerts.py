"""The texts of alerts, their records, and the local inbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from include.alerts import inbox
from include.alerts.alerts import Alert, held_alert
from include.alerts.failed import FailedTask, failed_alert
from include.alerts.memory import SentAlerts
from include.cli.alerts import app
from include.errors import TerminalError, TransientError
from include.ingestion import pipeline
from include.ingestion.isolation import rejected
from include.ledger.rejections import Rejection, save_rejection
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, StoreDays, offer, offers
from tests.warehouse.looking import one


@pytest.fixture
def held_day(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> Alert:
    """The alert about a store-day whose prices are 100 times the known ones; another store-day is published."""
    store_day(store_id="G1", at=TUESDAY, lines=offers(200))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(store_id="G1", lines=[*offers(190, price=100.0), offer("bad", -1), *offers(10, price=100.0, start=191)])
    store_day(store_id="G2", lines=offers(200))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    assert one(strict_warehouse, "SELECT count(*) FROM ops.staged_file WHERE state = 'held'") == 1, "one is held by a store-day rule"
    return held_alert(strict_warehouse, [one(strict_warehouse, "SELECT file_id FROM ops.staged_file WHERE state = 'held'")], storage)


def test_a_held_alert_lists_the_next_steps(held_day: Alert) -> None:
    assert held_day.title == "warning: store-day held, aldi G1 of 2026-11-18 (price_scale)"
    for part in (
        "Nothing of 1 store-day (201 lines) is published until an operator decides",
        "Why: price_scale:",
        "3 lines of the data, unchanged:",
        "line 191, SKU bad, refused: price_not_positive",
        '{"product": {"sku": "bad"',
        "100.0 dollars, known 1.00",
        "aldi of 2026-11-18: 1 store-day published (200 lines), 1 held",
        "aisleflow quarantine show 2",
        "aisleflow quarantine release 2 --why",
        "aisleflow quarantine discard 2 --why",
    ):
        assert part in held_day.body, held_day.body
    assert max(map(len, held_day.body.splitlines())) < 700, "an excerpt is limited"


def test_a_whole_retailer_held_is_critical(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=TUESDAY, lines=offers(200))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(lines=offers(200, price=100.0))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    alert = held_alert(strict_warehouse, [2], storage)
    assert alert.severity == "critical" and "0 store-days published" in alert.body


def test_lines_are_listed_even_if_the_file_is_missing(held_day: Alert, strict_warehouse: Warehouse, tmp_path: Path) -> None:
    elsewhere = Storage(f"file://{tmp_path / 'empty'}")
    assert "line 191, SKU bad" in held_alert(strict_warehouse, held_day.file_ids, elsewhere).body


def test_an_unknown_file_is_no_alert(warehouse: Warehouse, storage: Storage) -> None:
    with pytest.raises(ValueError, match="none of the files"):
        held_alert(warehouse, [99], storage)


def failed(**changed: Any) -> Alert:
    known: dict[str, Any] = {"dag_id": "ingest_prices", "task_id": "load", "run_id": "r1", "error": TerminalError("file 7 is odd. Fix it.")}
    return failed_alert(FailedTask(**(known | changed)))


def raised(files: int) -> TransientError:
    def count_waiting() -> None:
        raise TransientError(f"{files} files wait")

    with pytest.raises(TransientError) as caught:
        count_waiting()
    return caught.value


def wrapped(error: Exception) -> RuntimeError:
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError(str(error)) from error
    return caught.value


def test_a_failure_alert_starts_with_the_error_message() -> None:
    alert = failed(partition_key="aldi|2026-11-18", tries=4, link="http://localhost/dags")
    assert alert.title == "critical: ingest_prices.load failed: file 7 is odd. Fix it."
    assert alert.body.startswith("file 7 is odd. Fix it.") and "run r1, partition aldi|2026-11-18, try 4" in alert.body
    assert "clear the task" in alert.body and alert.text().endswith("The task: http://localhost/dags")
    assert failed(needs_person=True).severity == "warning"


def test_repeated_failures_have_one_key() -> None:
    assert failed(run_id="r2").key == failed().key != failed(task_id="check").key
    assert failed(partition_key="aldi|2026-11-18").key != failed(partition_key="iga|2026-11-18").key
    assert failed(error=raised(3)).key == failed(error=raised(4)).key, "the wording does not decide"
    assert failed(error=raised(3)).key != failed(error=TransientError("3 files wait")).key, "raised by another function"
    assert (
        failed(error=wrapped(raised(3)), is_wrapped=True).key
        == failed(error=raised(3)).key
        != failed(error=TerminalError("3 files wait")).key
    )
    first, second = (failed(is_mapped=True, label=store, error=f"store {store}") for store in ("a", "b"))
    assert first.key == second.key != failed(is_mapped=True, run_id="r2").key, "all mapped instances of a run are one alert"


@pytest.mark.parametrize("error", [None, "", TimeoutError()])
def test_a_killed_task_raises_an_alert(error: object) -> None:
    assert "it was killed, or ran out of time" in failed(error=error).body


def test_a_long_message_is_truncated() -> None:
    alert = failed(error="x" * 100_000)
    assert len(alert.body) < 5_000 and len(alert.title) <= 160


def test_old_records_are_deleted(storage: Storage, fixed_clock: Callable[[str], None]) -> None:
    memory = SentAlerts(storage)
    memory.record("a", "A")
    assert memory.was_sent("a") and not memory.was_sent("b")
    fixed_clock("2026-11-18T22:00:00+00:00")
    assert not memory.was_sent("a", timedelta(hours=12)) and memory.was_sent("a")
    storage.write("alerts/broken.json", b"{")
    assert memory.prune() == 1, "a truncated file is deleted"
    fixed_clock("2027-11-18T22:00:00+00:00")
    assert memory.prune() == 1 and memory.prune() == 0 and memory.sent_at("a") is None


def test_the_inbox_is_limited_and_lists_the_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixed_clock: Callable[[str], None]
) -> None:
    monkeypatch.setattr(inbox, "MAX_ALERTS", 3)
    for minute in range(5):
        fixed_clock(f"2026-11-18T09:0{minute}:00+00:00")
        inbox.put(tmp_path, f"alert {minute} / ../x", "body", "warning")
    assert [alert["title"][:7] for alert in inbox.read(tmp_path)] == ["alert 4", "alert 3", "alert 2"]
    assert sorted(path.suffix for path in inbox.folder(tmp_path).iterdir()) == [".json"] * 3


def test_the_command_lists_and_shows(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert "the inbox is empty" in run(app, []).stdout
    inbox.put(tmp_path / "home", "critical: disk full", "Free some space.", "critical")
    assert "critical: disk full" in run(app, []).stdout
    assert run(app, ["show", "1"]).stdout.endswith("critical: disk full\n\nFree some space.\n")
    assert json.loads(run(app, ["--json"]).stdout)["alerts"][0]["severity"] == "critical"
    assert run(app, ["show", "2"]).exit_code == 1


def test_rejections_of_many_files_stay_readable(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    for number in range(30):
        store_day(store_id=f"G{number}", lines=offers(2))
    pipeline.load(warehouse, storage, "aldi")
    for file_id in range(1, 31):
        lines = tuple(f"line {line}, SKU {line}: breaks a" for line in range(1, 21))
        save_rejection(warehouse, file_id, Rejection("the database rejects 20 line(s) of it in step publish", lines, 0, "Fix it."))
    report = rejected.build_report(warehouse, ["aldi"]) or ""
    assert report.startswith("30 store-day(s) are not published") and "and 10 more files" in report and report.count("Fix it.") == 1
    assert report.count("\n  line ") == 20, "twenty rejected lines in total, one of each file"

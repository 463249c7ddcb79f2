"""The texts of alerts, their records, and the local inbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from include.alerts import inbox
from include.alerts.alerts import Alert, held_alert
from include.alerts.failed import FailedTask, failed_alerts
from include.alerts.memory import SentAlerts
from include.cli.alerts import app
from include.crawling.run_report import FailedStores, StoresFailed
from include.errors import NeedsPersonError, TerminalError, TransientError
from include.ingestion import pipeline
from include.ingestion.isolation import rejected
from include.ledger.rejections import Rejection, save_rejection
from include.retailers.errors import BreakerOpen, SiteError
from include.staging.storage import Storage, StorageUnavailable
from include.warehouse.engine import Warehouse, WarehouseUnavailable
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


def storage_path(storage: Storage) -> Path:
    return Path(storage.url.removeprefix("file://"))


def failed(**changed: Any) -> Alert:
    known: dict[str, Any] = {"dag_id": "ingest_prices", "task_id": "load", "run_id": "r1", "error": TerminalError("file 7 is odd. Fix it.")}
    [alert] = failed_alerts(FailedTask(**(known | changed)))
    return alert


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
    assert "clear the task" in alert.body and alert.text().endswith("In the UI: http://localhost/dags")
    assert failed(error=NeedsPersonError("decide")).severity == "warning"


def test_repeated_failures_have_one_key() -> None:
    assert failed(run_id="r2").key == failed().key != failed(task_id="check").key
    assert failed(retailer="aldi").key != failed(retailer="iga").key
    assert failed(partition_key="aldi|2026-11-18").key == failed(partition_key="aldi|2026-11-19").key, "the same trouble the next night"
    assert failed(error=raised(3)).key == failed(error=raised(4)).key, "the wording does not decide"
    assert failed(error=raised(3)).key != failed(error=TransientError("3 files wait")).key, "raised by another function"
    assert (
        failed(error=wrapped(raised(3)), is_wrapped=True).key
        == failed(error=raised(3)).key
        != failed(error=TerminalError("3 files wait")).key
    )
    first, second = (failed(is_mapped=True, label=store, error=f"store {store}") for store in ("a", "b"))
    assert first.key == second.key != failed(is_mapped=True, run_id="r2", error="store a").key, "mapped instances of a run are one alert"


def test_one_cause_has_one_key_whatever_task_meets_it() -> None:
    elsewhere = {"dag_id": "sweep_outbox", "task_id": "sweep"}
    for error in (WarehouseUnavailable("away"), StorageUnavailable("away")):
        assert failed(error=error).key == failed(error=error, **elsewhere).key
    assert failed(error=WarehouseUnavailable("away")).key != failed(error=StorageUnavailable("away")).key
    canary = {"dag_id": "scrape_aldi", "task_id": "canary", "retailer": "aldi"}
    assert failed(error=SiteError("status 500 at x."), **canary).key == failed(error=BreakerOpen("not crawled"), **canary).key
    assert failed(error=SiteError("status 500 at x."), **canary).key == failed(error=SiteError("slow"), retailer="aldi", **elsewhere).key
    assert failed(error=SiteError("status 500 at x."), **canary).key != failed(error=SiteError("slow"), retailer="iga", **elsewhere).key


def test_a_report_of_several_causes_is_one_alert_each() -> None:
    stores = [FailedStores("aldi", kind, (f"G1 {kind}",), 3, "the message") for kind in ("site_unavailable", "wrong_store")]
    task = FailedTask(dag_id="scrape_aldi", task_id="every_store_crawled", run_id="r", error=StoresFailed(stores, True), retailer="aldi")
    first, second = failed_alerts(task)
    assert first.key == failed(error=SiteError("status 500 at x."), retailer="aldi").key != second.key
    assert "1 of 3 stores failed (site unavailable): G1 site_unavailable. Open the site in a browser" in first.title
    assert {first.severity, second.severity} == {"warning"}


@pytest.mark.parametrize("error", [None, "", TimeoutError()])
def test_a_killed_task_raises_an_alert(error: object) -> None:
    assert "it was killed, or ran out of time" in failed(error=error).body


def test_a_long_message_is_truncated() -> None:
    alert = failed(error="x" * 100_000)
    assert len(alert.body) < 5_000 and len(alert.title) <= 240


def test_without_the_warehouse_a_cause_is_claimed_once(storage: Storage, fixed_clock: Callable[[str], None]) -> None:
    memory, alert, repeat = SentAlerts(storage), failed(), timedelta(hours=12)
    for number in range(20):
        one = failed(task_id=f"t{number}")
        with ThreadPoolExecutor(8) as several:
            assert sum(several.map(lambda _, one=one: SentAlerts(storage).claim(one, repeat), range(8))) == 1, (
                "of tasks that fail together one sends"
            )
            memory.forget(one.key)
    assert memory.claim(alert, repeat)
    assert memory.claim(failed(task_id="check"), repeat)
    fixed_clock("2026-11-18T12:00:00+00:00")
    assert not memory.claim(alert, repeat)
    [record] = [record for record in memory.records() if record["alert_key"] == alert.key]
    assert (record["last_at"] - record["told_at"]) == timedelta(hours=3), "when its cause was met last"
    fixed_clock("2026-11-18T22:00:00+00:00")
    assert memory.claim(alert, repeat) and not memory.claim(alert, repeat)
    memory.forget(alert.key)
    assert memory.claim(alert, repeat)
    for path in (storage_path(storage) / "alerts").iterdir():
        path.write_text("{")
    assert memory.claim(alert, repeat) and len(memory.records()) == 1, "a record that a crash cut short is no record"


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

"""What was refused, discarded or retracted can be brought back by a recorded decision, and is then ingested like any other file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from include.cli import importing
from include.cli.common import reported
from include.cli.main import app
from include.errors import TerminalError
from include.ingestion import pipeline
from include.ingestion.bring_back import bring_back, import_again
from include.ingestion.importing import import_file
from include.ingestion.retract import retract
from include.ingestion.sweep import sweep
from include.ledger.decisions import NotDecidable, decide_files
from include.staging import staged_file
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, offer, offers
from tests.warehouse.looking import cents, one, rows


def newest(warehouse: Warehouse) -> dict[str, Any]:
    return rows(warehouse, "SELECT * FROM ops.staged_file ORDER BY file_id DESC LIMIT 1")[0]


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def choices(warehouse: Warehouse) -> list[tuple[str, str, str]]:
    found = rows(warehouse, "SELECT choice, decided_by, decision_reason FROM ops.decision ORDER BY decision_id")
    return [(row["choice"], row["decided_by"], row["decision_reason"]) for row in found]


def test_a_refused_file(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=offers(3))
    data = storage.read(manifest.data_path(Stage.OUTBOX))
    storage.write(manifest.data_path(Stage.OUTBOX), data[:-9])
    pipeline.ingest(warehouse, storage, "aldi")
    assert newest(warehouse)["state"] == "refused"
    storage.write(manifest.data_path(Stage.REFUSED), data)  # the copy was damaged on its way
    assert bring_back(warehouse, storage, 1, "ann", "copied again").retailer == "aldi"
    assert not storage.exists(manifest.path(Stage.REFUSED)) and not storage.exists(manifest.data_path(Stage.REFUSED))
    pipeline.ingest(warehouse, storage, "aldi")
    assert newest(warehouse)["state"] == "published" and len(cents(warehouse)) == 3 and storage.exists(manifest.data_path(Stage.ARCHIVE))
    assert choices(warehouse) == [("again", "ann", "copied again")]


def test_a_discarded_store_day_is_checked_again(strict_warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=TUESDAY, lines=offers(100))
    pipeline.ingest(strict_warehouse, storage, "aldi")
    store_day(at=WEDNESDAY, lines=[*offers(40), offer("900", -1)])
    pipeline.ingest(strict_warehouse, storage, "aldi")
    decide_files(strict_warehouse, storage, [2], "discard", "ann", "half a store", "command line")
    bring_back(strict_warehouse, storage, 2, "bob", "the store shrank")
    pipeline.ingest(strict_warehouse, storage, "aldi")
    again = newest(strict_warehouse)
    assert again["state"] == "held" and again["decided_by"] is None, "held for the same reason as before"
    decide_files(strict_warehouse, storage, [2], "release", "bob", "the store shrank", "command line")
    pipeline.ingest(strict_warehouse, storage, "aldi")
    assert newest(strict_warehouse)["state"] == "published" and len(cents(strict_warehouse)) == 40
    assert [choice for choice, _, _ in choices(strict_warehouse)] == ["discard", "again", "release"]


def test_a_retracted_store_day(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    store_day(at=TUESDAY, lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    manifest = store_day(at=WEDNESDAY, lines=[*offers(2, price=2.0), offer("8", 8.0), offer("9", -1)])
    pipeline.ingest(warehouse, storage, "aldi")
    published = cents(warehouse)
    retract(warehouse, storage, "aldi", "G1", 2, "ann", "wrong store")
    assert cents(warehouse) == {"1": 100, "2": 100, "3": 100}
    bring_back(warehouse, storage, 2, "ann", "the right store after all")
    pipeline.ingest(warehouse, storage, "aldi")
    assert cents(warehouse) == published == {"1": 200, "2": 200, "8": 800}
    assert newest(warehouse)["state"] == "published" and newest(warehouse)["quarantined"] == 1
    assert one(warehouse, "SELECT state FROM ops.quarantined_offer WHERE file_id = 2") == "quarantined", (
        "its lines wait for a decision again"
    )
    assert storage.exists(manifest.data_path(Stage.ARCHIVE)) and not list(storage.manifests(Stage.OUTBOX))


def test_an_import_that_could_not_be_staged(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store_day.file(tmp_path / "day.jsonl.gz", offers(3))
    with monkeypatch.context() as patch:
        patch.setattr("include.ingestion.importing.RETAILERS", {})  # as if the reader did not know the retailer yet
        assert import_file(warehouse, storage, path).outcome == "refused"
    done = bring_back(warehouse, storage, 1, "ann", "the reader knows it now")
    assert (done.outcome, done.retailer) == ("waiting", "aldi")
    pipeline.ingest(warehouse, storage, "aldi")
    assert len(cents(warehouse)) == 3
    assert [row["state"] for row in rows(warehouse, "SELECT state FROM ops.staged_file ORDER BY file_id")] == ["superseded", "published"]
    assert choices(warehouse) == [("again", "ann", "the reader knows it now")]


def test_a_manifest_that_could_not_be_read(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=offers(3))
    good = storage.read(manifest.path(Stage.OUTBOX))
    storage.write(manifest.path(Stage.OUTBOX), json.dumps(json.loads(good) | {"format_version": 9}).encode())
    pipeline.ingest(warehouse, storage, "aldi")
    with pytest.raises(TerminalError, match="format version 9"):
        bring_back(warehouse, storage, 1, "ann", "again")
    storage.write(manifest.path(Stage.REFUSED), good)  # as if an upgrade read it
    bring_back(warehouse, storage, 1, "ann", "upgraded")
    pipeline.ingest(warehouse, storage, "aldi")
    assert len(cents(warehouse)) == 3 and newest(warehouse)["state"] == "published"


def test_only_what_is_out_can_come_back_and_only_with_a_reason(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    with pytest.raises(NotDecidable, match="is published, not refused or discarded"):
        bring_back(warehouse, storage, 1, "ann", "again")
    retract(warehouse, storage, "aldi", "G1", 1, "ann", "wrong store")
    with pytest.raises(TerminalError, match="a decision needs a reason"):
        bring_back(warehouse, storage, 1, "ann", " ")
    staged_file.remove(storage, manifest, Stage.ARCHIVE)
    with pytest.raises(TerminalError, match=r"no longer stored.*aisleflow import --again"):
        bring_back(warehouse, storage, 1, "ann", "again")
    assert newest(warehouse)["state"] == "discarded"


def test_a_kill_in_between_changes_nothing(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = store_day(lines=offers(3))
    pipeline.ingest(warehouse, storage, "aldi")
    retract(warehouse, storage, "aldi", "G1", 1, "ann", "wrong store")
    with monkeypatch.context() as patch:
        patch.setattr("include.ingestion.bring_back.decide", killed)
        with pytest.raises(KeyboardInterrupt):
            bring_back(warehouse, storage, 1, "ann", "again")
    sweep(warehouse, storage)
    pipeline.ingest(warehouse, storage, "aldi")
    assert newest(warehouse)["state"] == "discarded" and not cents(warehouse) and not list(storage.manifests(Stage.OUTBOX))
    bring_back(warehouse, storage, 1, "ann", "again")
    pipeline.ingest(warehouse, storage, "aldi")
    assert newest(warehouse)["state"] == "published" and storage.exists(manifest.data_path(Stage.ARCHIVE))


def test_the_command(warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def here(as_json: bool = False) -> Iterator[tuple[Warehouse, Storage]]:
        with reported(as_json):
            yield warehouse, storage

    monkeypatch.setattr(importing, "domain", here)
    path = store_day.file(tmp_path / "day.jsonl.gz", offers(3))
    runner = CliRunner()

    def run(*arguments: str) -> Any:
        return runner.invoke(app, ["import", "--json", *arguments])

    assert run(str(path)).exit_code == 0
    retract(warehouse, storage, "aldi", "G1", 1, "ann", "wrong store")
    known = run(str(path))
    assert json.loads(known.stdout)["known"] == [str(path)] and not cents(warehouse), "a second import changes nothing"
    for wrong in (["--again", str(path)], ["--why", "x", str(path)], ["--file", "1"], ["--again", "--why", "x"]):
        assert run(*wrong).exit_code == 2
    again = run("--again", "--why", "the right store", "--by", "ann", str(path))
    assert again.exit_code == 0 and json.loads(again.stdout)["files"][0]["state"] == "published" and len(cents(warehouse)) == 3
    retract(warehouse, storage, "aldi", "G1", 1, "ann", "no, wrong")
    assert run("--again", "--why", "right", "--file", "1").exit_code == 0 and len(cents(warehouse)) == 3
    assert choices(warehouse)[1] == ("again", "ann", "the right store")


def test_importing_again_leaves_other_files_as_they_are(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path
) -> None:
    path = store_day.file(tmp_path / "day.jsonl.gz", offers(3))
    assert import_again(warehouse, storage, path, "ann", "all of the folder").outcome == "waiting"
    pipeline.ingest(warehouse, storage, "aldi")
    assert import_again(warehouse, storage, path, "ann", "all of the folder").outcome == "known" and choices(warehouse) == []
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress(b"x\n"))
    assert [import_again(warehouse, storage, broken, "ann", "?").outcome for _ in range(2)] == ["refused"] * 2

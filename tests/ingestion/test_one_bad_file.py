"""Whatever is wrong with one file of the outbox, it costs that file; a storage that is away costs none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.ingestion import pipeline
from include.ingestion.importing import import_file
from include.ingestion.isolation import rejected
from include.staging.manifest import Manifest
from include.staging.storage import Stage, Storage, StorageUnavailable
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import StoreDays, content, offer, offers
from tests.warehouse.looking import cents, one, rows


def states(warehouse: Warehouse) -> dict[str, str]:
    return {row["store_id"]: row["state"] for row in rows(warehouse, "SELECT store_id, state FROM ops.staged_file ORDER BY file_id")}


def edited(storage: Storage, manifest: Manifest, **values: Any) -> None:
    """Replace values of a manifest in the outbox, its name stays."""
    path = manifest.path(Stage.OUTBOX)
    storage.write(path, json.dumps(json.loads(storage.read(path)) | values).encode())


def as_folder(storage: Storage, path: str) -> None:
    storage.remove(path)
    storage.filesystem.makedirs(storage.full(path))


#: What is done to the first file: the state of the ledger's row of store G1 after ingestion, ``None``: no row.
WRECKS: dict[str, tuple[Callable[[Storage, Manifest], None], str | None]] = {
    "NUL in the store's name": (lambda storage, bad: edited(storage, bad, store_name="Firle\x00 East"), "published"),
    "NUL in its state": (lambda storage, bad: edited(storage, bad, state="VI\x00C"), "published"),
    "NUL in a reason": (lambda storage, bad: edited(storage, bad, complete=False, incomplete_reason="\x00"), "published"),
    "NUL in the categories": (lambda storage, bad: edited(storage, bad, categories={"expected": ["a\x00"], "skipped": {"\x00": "\x00"}}), "published"),
    "half a surrogate pair": (lambda storage, bad: storage.write(bad.path(Stage.OUTBOX), bad.to_json().replace(b'"aldi G1"', b'"\\ud800"')), "refused"),
    "another store": (lambda storage, bad: edited(storage, bad, store_id="../../x"), "refused"),
    "a store that is no text": (lambda storage, bad: edited(storage, bad, store_id=1), "refused"),
    "a night out of range": (lambda storage, bad: edited(storage, bad, night="0000-00-00"), "refused"),
    "rows out of range": (lambda storage, bad: edited(storage, bad, rows=2**40), "refused"),
    "a number with an exponent": (lambda storage, bad: storage.write(bad.path(Stage.OUTBOX), bad.to_json().replace(b'"rows": 3', b'"rows": 3e999999')), "refused"),
    "deep nesting": (lambda storage, bad: storage.write(bad.path(Stage.OUTBOX), b"[" * 100_000), "refused"),
    "an empty manifest": (lambda storage, bad: storage.write(bad.path(Stage.OUTBOX), b""), "refused"),
    "a folder for a manifest": (lambda storage, bad: as_folder(storage, bad.path(Stage.OUTBOX)), None),
    "a folder for the data": (lambda storage, bad: as_folder(storage, bad.data_path(Stage.OUTBOX)), "refused"),
    "no data": (lambda storage, bad: storage.remove(bad.data_path(Stage.OUTBOX)), "refused"),
    "no gzip": (lambda storage, bad: storage.write(bad.data_path(Stage.OUTBOX), b"\x1f\x8bnonsense"), "refused"),
    "a broken block": (lambda storage, bad: storage.write(bad.data_path(Stage.OUTBOX), b"\x1f\x8b\x08\x00" + b"\x00" * 6 + b"\xff" * 40), "refused"),
}  # fmt: skip


@pytest.mark.parametrize("wreck", WRECKS)
def test_a_bad_file_costs_one_file(warehouse: Warehouse, storage: Storage, store_day: StoreDays, wreck: str) -> None:
    bad, _ = store_day(store_id="G1", lines=offers(3)), store_day(store_id="G2", lines=offers(4))
    damage, state = WRECKS[wreck]
    damage(storage, bad)
    for _ in range(2):
        pipeline.ingest(warehouse, storage, "aldi")
    assert states(warehouse).get("G1") == state and states(warehouse)["G2"] == "published"
    assert len(cents(warehouse, "G2")) == 4 and len(cents(warehouse, "G1")) == (3 if state == "published" else 0)
    if state == "refused":
        assert one(warehouse, "SELECT state_reason FROM ops.staged_file WHERE store_id = 'G1'")
        assert not [path for path in storage.manifests(Stage.OUTBOX) if "/G1/" in path]


def test_an_imported_text_that_the_database_cannot_store(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    for number, metadata in enumerate(({"store_name": "Firle\x00East"}, {"state": "vi\x00c"})):
        path = folder / f"{number}\udcff.jsonl"  # the name is not UTF-8 either
        path.write_bytes(content([offer("1", metadata=metadata)], "aldi", f"G{number}", "VIC", "2026-11-18T04:30:00+11:00"))
        assert import_file(warehouse, storage, path).outcome == "waiting"
    store_day(store_id="G9", lines=offers(2))
    pipeline.ingest(warehouse, storage, "aldi")
    assert states(warehouse) == {"G0": "published", "G1": "published", "G9": "published"}
    assert one(warehouse, "SELECT name FROM core.store WHERE store_id = 'G0'") == "Firle East"


@pytest.fixture
def away(storage: Storage, tmp_path: Path) -> Callable[[bool], Callable[[], None]]:
    """Take the storage root away, or leave its empty folder as an unmounted disk does; the returned function puts it back."""

    def run(is_folder_left: bool) -> Callable[[], None]:
        root, hidden = Path(storage.full("")), tmp_path / "hidden"
        root.rename(hidden)
        if is_folder_left:
            root.mkdir()

        def put_back() -> None:
            shutil.rmtree(root, ignore_errors=True)
            hidden.rename(root)

        return put_back

    return run


@pytest.mark.parametrize("is_folder_left", [True, False])
@pytest.mark.parametrize("step", ["register", "load", "publish"])
def test_a_storage_that_is_away_refuses_nothing(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, away: Callable[[bool], Callable[[], None]], step: str, is_folder_left: bool
) -> None:  # fmt: skip
    for number in range(3):
        store_day(store_id=f"G{number}", lines=[*offers(3), offer("9", -1)])
    if step == "load":
        from include.ledger.registering import register_waiting

        register_waiting(warehouse, storage, "aldi")
    if step == "publish":
        pipeline.load(warehouse, storage, "aldi")
        pipeline.check(warehouse, storage, "aldi")
        pipeline.resolve(warehouse, storage, "aldi")
    before = states(warehouse)
    put_back = away(is_folder_left)
    if step == "register":
        pipeline.ingest(warehouse, storage, "aldi")  # the ledger knows of nothing that could be missing
    else:
        with pytest.raises(StorageUnavailable, match="empty or not there, and store-days wait in it"):
            pipeline.publish(warehouse, storage, "aldi") if step == "publish" else pipeline.ingest(warehouse, storage, "aldi")
    assert states(warehouse) == before
    put_back()
    pipeline.ingest(warehouse, storage, "aldi")
    assert set(states(warehouse).values()) == {"published"} and len(states(warehouse)) == 3


def test_a_file_that_is_gone_waits_and_the_others_are_published(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path
) -> None:
    gone, _ = store_day(store_id="G1", lines=offers(3)), store_day(store_id="G2", lines=offers(3))
    pipeline.load(warehouse, storage, "aldi")
    with warehouse.transaction() as connection:  # as after a crash of the server
        connection.execute("DELETE FROM staging.offer; DELETE FROM staging.loaded_file")
    folder = Path(storage.full(f"outbox/{gone.name.folder}"))
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(
        StorageUnavailable, match=r"(?s)1 store-day\(s\) wait because their files cannot be reached.*aldi G1.*neither the data"
    ):
        pipeline.ingest(warehouse, storage, "aldi")
    assert states(warehouse) == {"G1": "waiting", "G2": "published"}
    (tmp_path / "elsewhere").rename(folder)
    pipeline.ingest(warehouse, storage, "aldi")
    assert states(warehouse) == {"G1": "published", "G2": "published"}


@pytest.mark.parametrize("suffix", [".manifest.json", ".jsonl.gz"])
def test_a_file_that_may_not_be_read_waits(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    store_day(store_id="G1", lines=offers(3))
    store_day(store_id="G2", lines=offers(3))
    opened = storage.filesystem.open

    def refuse(path: str, *args: Any, **options: Any) -> Any:
        if "/G1/" in path and path.endswith(suffix):
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **options)

    monkeypatch.setattr(storage.filesystem, "open", refuse)
    warehouse.settings = warehouse.settings.model_copy(update={"sweep_after_minutes": 0})  # every file is old enough to be reported
    with pytest.raises(StorageUnavailable, match=r"Permission denied|1 manifest\(s\) in the outbox are not in the ledger"):
        pipeline.ingest(warehouse, storage, "aldi")
    assert states(warehouse).get("G1") in (None, "waiting") and states(warehouse)["G2"] == "published"
    monkeypatch.setattr(storage.filesystem, "open", opened)
    pipeline.ingest(warehouse, storage, "aldi")
    assert states(warehouse)["G1"] == "published" and rejected.build_unreachable_report(warehouse, ["aldi"]) is None

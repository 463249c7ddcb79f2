"""Bad input: a clear reason, nothing lost, and valid files are still published."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.errors import TerminalError
from include.ingestion import pipeline
from include.ingestion.importing import ImportedFile, import_file, list_data_files
from include.ledger.registering import register_waiting
from include.staging.storage import DATA_SUFFIX, Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import TUESDAY, WEDNESDAY, StoreDays, content, offer, offers
from tests.warehouse.looking import cents, one, prices, rows


@pytest.fixture
def offered(warehouse: Warehouse, storage: Storage, tmp_path: Path) -> Callable[[bytes], ImportedFile]:
    """Offer bytes for import as a file named ``bad file.jsonl.gz``."""

    def run(data: bytes) -> ImportedFile:
        path = tmp_path / "bad file.jsonl.gz"
        path.write_bytes(data)
        return import_file(warehouse, storage, path)

    return run


def lines(*made: Any, retailer: Any = "aldi", store_id: Any = "G1", at: str | None = WEDNESDAY) -> bytes:
    return content(made, retailer, store_id, "VIC", at)


REFUSED: dict[str, tuple[bytes, str]] = {
    "cut gzip": (
        gzip.compress(lines(*offers(500)))[:-30],
        r"the gzip data is truncated or damaged after line \d+ .*Crawl or export the store-day again",
    ),
    "no gzip after all": (b"\x1f\x8b" + b"x" * 50, "the gzip data is truncated or damaged"),
    "empty": (b"", "the file is empty. A store-day has at least one line; crawl or export it again"),
    "empty gzip": (gzip.compress(b""), "the file is empty"),
    "blank lines": (b"\n \n\n", "the file is empty"),
    "no JSON": (b"hello\nworld\n", "none of its 2 lines is a JSON object with `product` and `metadata`. See docs/staged-files.md"),
    "binary": (b"\x00\x01\xff" * 100, "none of its 1 lines is a JSON object"),
    "mixed stores": (
        lines(*offers(10)) + lines(*offers(10), store_id="G2"),
        r"lines of several stores in one file: aldi G1 \(10 lines\), aldi G2 \(10 lines\).*split the file by `metadata.store_id`",
    ),
    "mixed retailers": (lines(*offers(9)) + lines(*offers(2), retailer="iga"), "lines of several stores in one file"),
    "unknown retailer": (
        lines(*offers(3), retailer="tesco"),
        "`metadata.company` is 'tesco'; known retailers: .*coles.*Correct it in the file",
    ),
    "no time": (lines(*offers(3), at=None), r"no line has a time of observation \(`scraped_at` or `scraped_date`\).*Add it to `metadata`"),
    "impossible store": (lines(*offers(3), store_id="x" * 65), "store id 'x+' is not one of aldi, whose ids match"),
    **{
        f"store id {name}": (lines(*offers(3), store_id=value), r"3 of its 3 lines have no `metadata.store_id` \(text or a whole number\)")
        for name, value in {"null": None, "true": True, "a fraction": 1.5, "a list": ["G1"], "an object": {"a": 1}, "blank": "  "}.items()
    },
    "no store id at all": (
        b"".join(line + b"\n" for line in lines(*offers(3)).replace(b'"store_id": "G1", ', b"").splitlines()),
        "3 of its 3 lines have no `metadata.store_id`",
    ),
    "store id that is a path": (lines(*offers(3), store_id="../../x"), "store id '../../x' is not one of aldi"),
    "store id that was made of nothing": (lines(*offers(3), store_id="None"), "store id 'None' is not one of aldi"),
    "some lines without a store id": (
        lines(*offers(9)) + lines(*offers(1), store_id=None),
        r"lines of several stores in one file: aldi G1 \(9 lines\), aldi without a store id \(1 lines\)",
    ),
    "company of another type": (lines(*offers(3), retailer=True), "`metadata.company` is None; known retailers"),
    "year one": (lines(*offers(3), at="0001-11-18T04:30:00+11:00"), "no line has a time|observed from 0001"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_staged_is_kept_with_its_reason(
    offered: Callable[[bytes], ImportedFile], warehouse: Warehouse, storage: Storage, case: str
) -> None:
    data, reason = REFUSED[case]
    for _ in range(2):
        found = offered(data)
        assert found.outcome == "refused" and re.search(reason, found.reason or ""), found.reason
    (entry,) = rows(warehouse, "SELECT state, stage, state_reason, manifest FROM ops.staged_file")
    assert (entry["state"], entry["stage"], entry["state_reason"], entry["manifest"]) == (
        "refused",
        "refused",
        found.reason,
        {"source": "bad file.jsonl.gz"},
    )
    (copy,) = storage.filesystem.find(storage.full("refused/unknown"))
    assert Path(copy).read_bytes() == data and copy.endswith("--bad_file.jsonl.gz")
    assert list(storage.manifests(Stage.OUTBOX)) == []


def test_a_missing_path_is_reported(tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match=r"nowhere.jsonl: no such file. Give store-day files \(\*.jsonl, \*.jsonl.gz\) or folders"):
        list_data_files([tmp_path / "nowhere.jsonl"])


def test_single_damaged_lines_are_refused_one_by_one(
    offered: Callable[[bytes], ImportedFile], warehouse: Warehouse, storage: Storage
) -> None:
    foreign = lines(offer("99", 9.0), store_id="G2")
    assert offered(lines(*offers(30)) + b"{\n" + foreign).outcome == "waiting"
    counts = pipeline.ingest(warehouse, storage, "aldi").published
    assert (counts.rows, counts.created, counts.quarantined) == (32, 30, 2) and "99" not in cents(warehouse)
    assert [row["reasons"] for row in rows(warehouse, "SELECT reasons FROM ops.quarantined_offer ORDER BY line_number")] == [
        ["not_json"],
        ["foreign_store"],
    ]


def test_an_unknown_store_is_published_unconfirmed(
    offered: Callable[[bytes], ImportedFile], warehouse: Warehouse, storage: Storage
) -> None:
    offered(lines(*offers(3), store_id="G999"))
    pipeline.ingest(warehouse, storage, "aldi")
    found = prices(warehouse, "G999")
    assert len(found) == 3 and {row["is_confirmed"] for row in found.values()} == {False}
    (store,) = rows(warehouse, "SELECT name, state, is_confirmed FROM core.store")
    assert store == {"name": "aldi G999", "state": "VIC", "is_confirmed": False}


def test_lines_of_the_future_are_refused_and_the_others_keep_their_night(
    offered: Callable[[bytes], ImportedFile], warehouse: Warehouse, storage: Storage
) -> None:
    offered(lines(*offers(5), offer("9", metadata={"scraped_at": "2027-01-01T00:00:00+11:00"})))
    counts = pipeline.ingest(warehouse, storage, "aldi").published
    assert (counts.created, counts.quarantined) == (5, 1)
    (file,) = rows(warehouse, "SELECT night::text, last_observed_at FROM ops.staged_file")
    assert file["night"] == "2026-11-18" and file["last_observed_at"].year == 2026


def test_equal_content_is_entered_once(warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path) -> None:
    packed, plain = store_day.file(tmp_path / "a.jsonl.gz", offers(3)), store_day.file(tmp_path / "b.jsonl", offers(3))
    first = import_file(warehouse, storage, packed)
    pipeline.ingest(warehouse, storage, "aldi")
    second = import_file(warehouse, storage, plain)
    assert (first.outcome, second.outcome, second.file_id) == ("waiting", "known", first.file_id)
    assert list_data_files([tmp_path]) == [packed, plain, *list_data_files([tmp_path / "storage"])]


def with_manifest(store_day: StoreDays, storage: Storage, folder: Path, suffix: str) -> tuple[Path, Path]:
    """Copy a staged file with its manifest into a folder outside the storage root."""
    manifest = store_day(lines=offers(3), stage=Stage.LANDING)
    folder.mkdir(parents=True)
    data = storage.read(manifest.data_path(Stage.LANDING))
    path = folder / (manifest.name.stem + suffix)
    path.write_bytes(data if suffix.endswith(".gz") else gzip.decompress(data))
    beside = folder / f"{manifest.name.stem}.manifest.json"
    beside.write_bytes(manifest.to_json())
    return path, beside


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl"])
def test_a_manifest_beside_the_file_is_used(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path, suffix: str
) -> None:
    path, _ = with_manifest(store_day, storage, tmp_path / "aldi" / "G1", suffix)
    assert import_file(warehouse, storage, path).outcome == "waiting"
    assert rows(warehouse, "SELECT is_complete, completeness_reason FROM ops.staged_file") == [
        {"is_complete": True, "completeness_reason": "stated in its manifest"}
    ]
    assert pipeline.ingest(warehouse, storage, "aldi").published.created == 3


@pytest.mark.parametrize(("field", "value", "reason"), [
    ("sha256", None, r"its manifest states 3 rows with SHA-256 .* or remove the manifest to have its completeness estimated from its rows"),
    ("rows", 4, r"its manifest states 4 rows .* the file holds 3 "),
    ("format_version", 9, "format version 9, this installation reads up to 1. Upgrade Aisleflow"),
    ("store_id", "G9", "A file was renamed or its manifest was swapped"),
])  # fmt: skip
def test_a_manifest_that_does_not_fit_is_refused(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path, field: str, value: Any, reason: str
) -> None:
    path, beside = with_manifest(store_day, storage, tmp_path / "aldi" / "G1", ".jsonl.gz")
    manifest_json = json.loads(beside.read_text())
    manifest_json[field] = value if value is not None else manifest_json["sha256"][:16] + "0" * 48
    beside.write_text(json.dumps(manifest_json))
    found = import_file(warehouse, storage, path)
    assert re.search(reason, found.reason or ""), found.reason
    assert found.outcome == "refused" and len(storage.filesystem.find(storage.full("refused/unknown"))) == 1


def test_an_unreadable_file_in_the_outbox_does_not_stop_others(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    bad, good = store_day(lines=offers(5)), store_day(store_id="G2", lines=offers(5))
    damaged = storage.read(bad.data_path(Stage.OUTBOX))[:-12]
    storage.write(bad.data_path(Stage.OUTBOX), damaged)
    assert pipeline.ingest(warehouse, storage, "aldi").published.created == 5 and cents(warehouse) == {}
    (refused,) = rows(warehouse, "SELECT state_reason, stage FROM ops.staged_file WHERE state = 'refused'")
    assert "the gzip data is truncated or damaged" in refused["state_reason"]
    assert storage.read(bad.data_path(Stage.REFUSED)) == damaged and not storage.exists(bad.data_path(Stage.OUTBOX))
    assert storage.exists(good.data_path(Stage.ARCHIVE)) and one(warehouse, "SELECT count(*) FROM staging.offer") == 0


def test_a_manifest_with_a_wrong_hash_in_the_outbox_is_refused(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=offers(5))
    data = storage.read(manifest.data_path(Stage.OUTBOX))
    storage.write(manifest.data_path(Stage.OUTBOX), gzip.compress(gzip.decompress(data).replace(b"1.0", b"2.0")))
    pipeline.ingest(warehouse, storage, "aldi")
    assert "It was changed after it was staged" in one(warehouse, "SELECT state_reason FROM ops.staged_file") and cents(warehouse) == {}


def test_a_manifest_that_is_none_is_refused_with_its_data(warehouse: Warehouse, storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=offers(5))
    storage.write(manifest.path(Stage.OUTBOX), b"{")
    assert register_waiting(warehouse, storage, "aldi") == [] == register_waiting(warehouse, storage, "aldi")
    (entry,) = rows(warehouse, "SELECT retailer, store_id, state, state_reason FROM ops.staged_file")
    assert (entry["retailer"], entry["store_id"], entry["state"]) == ("aldi", "G1", "refused") and "not a manifest" in entry["state_reason"]
    assert (
        storage.exists(manifest.path(Stage.REFUSED))
        and storage.exists(manifest.data_path(Stage.REFUSED))
        and not storage.exists(manifest.data_path(Stage.OUTBOX))
    )
    assert manifest.data_path(Stage.REFUSED).endswith(DATA_SUFFIX)


# completeness of files without a manifest -------------------------------------------------------------------------------


def completeness(warehouse: Warehouse) -> dict[str, bool]:
    return {
        row["key"]: row["is_complete"]
        for row in rows(warehouse, "SELECT store_id || ' ' || observed_at::date AS key, is_complete FROM ops.staged_file")
    }


@pytest.mark.parametrize("reverse", [False, True])
def test_completeness_is_estimated_in_time_order(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path, reverse: bool
) -> None:
    days = [
        ("G1", "2026-11-10", 100),
        ("G1", "2026-11-11", 91),
        ("G1", "2026-11-12", 82),
        ("G1", "2026-11-13", 81),
        ("G2", "2026-11-12", 99),
        ("G2", "2026-11-13", 80),
    ]
    files = [
        store_day.file(tmp_path / f"{store}-{day}.jsonl", offers(count), store_id=store, at=f"{day}T04:00:00Z")
        for store, day, count in days
    ]
    for path in reversed(files) if reverse else files:
        import_file(warehouse, storage, path)
    pipeline.ingest(warehouse, storage, "aldi")
    # the first against the median of the others (86.5 = 90 percent), then each against the last complete one before it
    assert completeness(warehouse) == {
        "G1 2026-11-10": True, "G1 2026-11-11": True, "G1 2026-11-12": True, "G1 2026-11-13": True, "G2 2026-11-12": True, "G2 2026-11-13": False,
    }  # fmt: skip
    assert "81 SKUs; the store's last complete store-day (2026-11-12) has 82" in one(
        warehouse, "SELECT completeness_reason FROM ops.staged_file WHERE rows = 81"
    )


def test_a_lone_file_is_incomplete_and_not_a_baseline(warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path) -> None:
    import_file(warehouse, storage, store_day.file(tmp_path / "a.jsonl", offers(50), at=TUESDAY))
    pipeline.ingest(warehouse, storage, "aldi")
    assert (
        one(warehouse, "SELECT completeness_reason FROM ops.staged_file WHERE NOT is_complete")
        == "50 SKUs; no other store-day to compare with"
    )
    assert len(cents(warehouse)) == 50 and one(warehouse, "SELECT complete_at IS NULL FROM core.store")


def test_the_retailers_median_reaches_fourteen_days(warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path) -> None:
    for store, day in (("G1", "2026-10-01"), ("G2", "2026-10-15"), ("G3", "2026-10-30")):
        import_file(warehouse, storage, store_day.file(tmp_path / f"{store}.jsonl", offers(50), store_id=store, at=f"{day}T04:00:00Z"))
    pipeline.ingest(warehouse, storage, "aldi")
    assert completeness(warehouse) == {"G1 2026-10-01": True, "G2 2026-10-15": True, "G3 2026-10-30": False}


def test_a_partial_crawl_beside_complete_ones_is_incomplete(
    warehouse: Warehouse, storage: Storage, store_day: StoreDays, tmp_path: Path
) -> None:
    for number, count in enumerate((100, 98, 10, 101)):
        import_file(warehouse, storage, store_day.file(tmp_path / f"{number}.jsonl", offers(count), store_id=f"G{number}"))
    pipeline.ingest(warehouse, storage, "aldi")
    assert [row["is_complete"] for row in rows(warehouse, "SELECT is_complete FROM ops.staged_file ORDER BY store_id")] == [
        True,
        True,
        False,
        True,
    ]

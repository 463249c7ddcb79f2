"""Writer and reader of staged files: the content matches the manifest, and data without a manifest is invisible."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.errors import TerminalError
from include.model.offer import Offer, decode
from include.model.store import StoreRef
from include.staging.manifest import Manifest, ManifestError, read_manifest
from include.staging.staged_file import RawLine, StoreDayWriter, UnreadableFile, load_manifest, move, open_staged, read_lines
from include.staging.storage import MANIFEST_SUFFIX, Stage, StagedName, Storage, UnusableFile, run_key_of, store_id_of
from tests.ingestion.store_days import StoreDays, offer

AT = datetime(2026, 11, 17, 17, 30, tzinfo=UTC)
MAX = 1_000_000


def write(storage: Storage, *offers: Offer, store_id: str = "COL:401") -> Manifest:
    with StoreDayWriter(storage, Stage.OUTBOX, StoreRef("coles", store_id, "Coles Somewhere", "SA"), date(2026, 11, 18), "run-1") as writer:
        for each in offers:
            writer.write(each)
        return writer.publish(complete=True, pages=3)


def milk(sku: str = "0012", **more: Any) -> Offer:
    values: dict[str, Any] = {"sku": sku, "name": "Milk", "observed_at": AT, "price_current": Decimal("4.10")} | more
    return Offer(**values)


def lines_of(data: bytes, maximum: int = MAX) -> list[RawLine]:
    return list(read_lines(io.BytesIO(data), "x", maximum))


def test_written_offers_are_read_back(storage: Storage) -> None:
    manifest = write(storage, milk(brand="Zorbo"), milk("7", price_current=None, observed_at=AT.replace(hour=16)))
    assert (manifest.rows, manifest.observed_at, manifest.last_observed_at) == (2, AT.replace(hour=16), AT)
    assert manifest.missing["brand"] == 1 and manifest.missing["price_current"] == 1
    read = [
        decode(line.raw) for line in open_staged(storage, load_manifest(storage, next(storage.manifests(Stage.OUTBOX))), Stage.OUTBOX, MAX)
    ]
    assert [(line.product.sku, line.product.price_current) for line in read] == [("0012", "4.10"), ("7", None)]
    assert read[0].metadata.store_id == "COL:401" and read[0].metadata.scraped_at == AT.isoformat()


def test_equal_lines_give_equal_bytes(storage: Storage, tmp_path: Path) -> None:
    other = Storage(f"file://{tmp_path / 'other'}")
    one, two = write(storage, milk()), write(other, milk())
    assert storage.read(one.data_path(Stage.OUTBOX)) == other.read(two.data_path(Stage.OUTBOX)) and one.to_json() == two.to_json()


def test_data_without_manifest_is_invisible(storage: Storage) -> None:
    manifest = write(storage, milk())
    storage.remove(manifest.path(Stage.OUTBOX))
    assert storage.exists(manifest.data_path(Stage.OUTBOX)) and list(storage.manifests(Stage.OUTBOX)) == []


def test_an_aborted_writer_leaves_no_file(storage: Storage) -> None:
    with StoreDayWriter(storage, Stage.OUTBOX, StoreRef("aldi", "G1"), date(2026, 11, 18), "r") as writer:
        writer.write(milk())
    assert list(storage.manifests(Stage.OUTBOX)) == [] and not storage.exists("outbox")


def test_an_empty_crawl_is_an_error(storage: Storage) -> None:
    with pytest.raises(TerminalError, match=r"coles COL:401: no offer was written.*See the crawl's log"):
        write(storage)


def test_a_memory_root_works_like_a_disk() -> None:
    storage = Storage("memory://aisle-test-root")
    manifest = write(storage, milk())
    move(storage, manifest, Stage.OUTBOX, Stage.ARCHIVE)
    assert list(storage.manifests(Stage.OUTBOX)) == []
    (path,) = storage.manifests(Stage.ARCHIVE, "coles")
    assert len(list(open_staged(storage, load_manifest(storage, path), Stage.ARCHIVE, MAX))) == 1
    storage.filesystem.rm(storage.full("archive"), recursive=True)


def test_an_interrupted_move_can_be_repeated(storage: Storage) -> None:
    manifest = write(storage, milk())
    data, note = storage.read(manifest.data_path(Stage.OUTBOX)), manifest.to_json()
    half_ways: list[Callable[[], None]] = [
        lambda: storage.write(manifest.data_path(Stage.ARCHIVE), data[:5]),  # killed while copying
        lambda: storage.write(manifest.data_path(Stage.ARCHIVE), data),
        lambda: storage.write(manifest.path(Stage.ARCHIVE), note),
        lambda: storage.remove(manifest.path(Stage.OUTBOX)),
    ]
    for steps in range(len(half_ways) + 1):
        for path in (manifest.path(Stage.ARCHIVE), manifest.data_path(Stage.ARCHIVE)):
            storage.remove(path)
        storage.write(manifest.data_path(Stage.OUTBOX), data)
        storage.write(manifest.path(Stage.OUTBOX), note)
        for step in half_ways[:steps]:
            step()
        if steps == 1:
            storage.write(manifest.data_path(Stage.ARCHIVE), data[:5])
        for _ in range(2):
            move(storage, manifest, Stage.OUTBOX, Stage.ARCHIVE)
        assert storage.read(manifest.data_path(Stage.ARCHIVE)) == data, f"after {steps} steps"
        assert not storage.exists(manifest.data_path(Stage.OUTBOX)) and not storage.exists(manifest.path(Stage.OUTBOX))


@pytest.mark.parametrize("store_id", ["COL:401", "LQR:2209", "2", "0584"])
def test_a_store_id_is_one_folder(storage: Storage, store_id: str) -> None:
    manifest = write(storage, milk(), store_id=store_id)
    path = manifest.path(Stage.OUTBOX)
    assert path.count("/") == 3 and not {"..", "."} & set(path.split("/"))
    assert store_id_of(path) == store_id and list(storage.manifests(Stage.OUTBOX)) == [path]


@pytest.mark.parametrize(
    ("retailer", "store_id"),
    [
        ("aldi", id_)
        for id_ in ("", " G1", "G1\n", "None", "True", "1.5", "{'a': 1}", "..", ".", "../../x", "G1/2", "G%2F1", "g1", "G٣", "1147")
    ]
    + [("coles", "G102"), ("iga", "None"), ("woolworths", "COL:401")],
)
def test_a_store_id_of_another_shape_is_refused(retailer: str, store_id: str) -> None:
    with pytest.raises(UnusableFile, match=f"is not one of {retailer}, whose ids match .*Correct `metadata.store_id` in the file"):
        StagedName(retailer, store_id, date(2026, 11, 18), "r", "0" * 64)


@pytest.mark.parametrize("run_key", ["a/b", "..//", "a--b", "", "x" * 81])
def test_invalid_run_keys_are_refused(run_key: str) -> None:
    with pytest.raises(TerminalError, match="run key"):
        StagedName("aldi", "G1", date(2026, 11, 18), run_key, "0" * 64)


def test_generated_run_keys_are_valid() -> None:
    for parts in (("scrape aldi", "manual__2026-11-18T04:00:00+11:00"), ("a--b", "../c"), ("x" * 300,)):
        StagedName("aldi", "G1", date(2026, 11, 18), run_key_of(*parts), "0" * 64)


def test_a_renamed_manifest_is_detected(storage: Storage) -> None:
    path = write(storage, milk()).path(Stage.OUTBOX)
    with pytest.raises(ManifestError, match="A file was renamed or its manifest was swapped"):
        read_manifest(storage.read(path), path.replace("2026-11-18", "2026-11-19"))


def test_swapped_manifests_are_detected(storage: Storage) -> None:
    one, two = write(storage, milk()), write(storage, milk("9"), store_id="COL:402")
    with pytest.raises(ManifestError, match="its manifest was swapped"):
        read_manifest(storage.read(one.path(Stage.OUTBOX)), two.path(Stage.OUTBOX))


def changed(manifest: Manifest, **fields: Any) -> bytes:
    return json.dumps(json.loads(manifest.to_json()) | fields).encode()


def test_the_error_for_a_newer_format_advises_to_upgrade(storage: Storage) -> None:
    manifest = write(storage, milk())
    with pytest.raises(ManifestError, match=r"format version 99, this installation reads up to 1. Upgrade Aisleflow"):
        read_manifest(changed(manifest, format_version=99), manifest.path(Stage.OUTBOX))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"observed_at": "2026-11-18T04:00:00"}, "need a UTC offset"),
        ({"rows": -1}, "-1 rows"),
        ({"rows": "2"}, "not a manifest"),
        ({"retailer": "tesco"}, "unknown retailer 'tesco'"),
        ({"night": "soon"}, "not a manifest"),
    ],
)
def test_the_error_for_a_damaged_manifest_names_the_problem(storage: Storage, fields: dict[str, Any], message: str) -> None:
    manifest = write(storage, milk())
    with pytest.raises(TerminalError, match=message):
        read_manifest(changed(manifest, **fields), manifest.path(Stage.OUTBOX))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 5000])
def test_an_invalid_manifest_is_an_error(content: bytes) -> None:
    with pytest.raises(ManifestError, match=r"outbox/x: not a manifest .*aisleflow import"):
        read_manifest(content, "outbox/x")


@pytest.mark.parametrize("fields", [{"rows": 3}, {"rows": 1}])
def test_wrong_row_counts_are_detected(storage: Storage, fields: dict[str, int]) -> None:
    manifest = write(storage, milk("1"), milk("2"))
    manifest.rows = fields["rows"]
    with pytest.raises(UnreadableFile, match=f"states {fields['rows']} rows .* the file holds 2 .* stage the store-day again"):
        list(open_staged(storage, manifest, Stage.OUTBOX, MAX))


def test_changed_content_is_detected(storage: Storage, store_day: StoreDays) -> None:
    manifest = store_day(lines=[offer("1", 1.0)])
    storage.write(manifest.data_path(Stage.OUTBOX), gzip.compress(b'{"product": {}, "metadata": {}}\n'))
    with pytest.raises(UnreadableFile, match="It was changed after it was staged"):
        list(open_staged(storage, manifest, Stage.OUTBOX, MAX))


def test_missing_data_is_detected(storage: Storage) -> None:
    manifest = write(storage, milk())
    storage.remove(manifest.data_path(Stage.OUTBOX))
    with pytest.raises(UnreadableFile, match="the data file named by the manifest is missing"):
        list(open_staged(storage, manifest, Stage.OUTBOX, MAX))


def test_plain_and_compressed_files_are_read_alike() -> None:
    data = b'{"a": 1}\n{"b": 2}'
    assert lines_of(data) == lines_of(gzip.compress(data)) == [RawLine(1, b'{"a": 1}'), RawLine(2, b'{"b": 2}')]


def test_blank_lines_are_numbered_and_crlf_is_not_a_blank_line() -> None:
    assert [(line.number, line.raw.strip()) for line in lines_of(b"one\r\n\r\n   \ntwo\r\n\n")] == [(1, b"one"), (4, b"two")]
    assert decode(lines_of(b'{"product": {"sku": 1}, "metadata": {}}\r\n')[0].raw).product.sku == 1


@pytest.mark.parametrize("size", [21, 2_500_000])
def test_an_overlong_line_is_truncated_and_its_neighbours_are_kept(size: int) -> None:
    found = lines_of(b"before\n" + b"x" * size + b"\nafter\n", maximum=20)
    assert [(line.number, line.problem) for line in found] == [(1, None), (2, "line_too_long"), (3, None)]
    assert len(found[1].raw) <= 2000 and found[2].raw == b"after"


def test_an_overlong_last_line_without_newline() -> None:
    assert [(line.number, line.problem) for line in lines_of(b"a\n" + b"x" * 3_000_000, maximum=20)] == [(1, None), (2, "line_too_long")]
    assert lines_of(b"x" * 20, maximum=20)[0].problem is None


@pytest.mark.parametrize("cut", [-1, -9, 30])
def test_a_truncated_gzip_is_unreadable(cut: int) -> None:
    packed = gzip.compress(b"".join(hashlib.sha256(bytes([n])).hexdigest().encode() + b"\n" for n in range(200)))
    with pytest.raises(
        UnreadableFile, match=r"x: the gzip data is truncated or damaged after line \d+ .*Crawl or export the store-day again"
    ):
        lines_of(packed[:cut])


def test_a_gzip_with_wrong_bytes_is_unreadable() -> None:
    packed = bytearray(gzip.compress(b"line\n" * 1000))
    packed[-6] ^= 0xFF
    with pytest.raises(UnreadableFile, match="damaged"):
        lines_of(bytes(packed))


def test_manifests_are_listed_in_order_and_by_retailer(storage: Storage, store_day: StoreDays) -> None:
    store_day("iga", "9", lines=[offer()])
    store_day("aldi", "G2", lines=[offer()])
    store_day("aldi", "G1", lines=[offer()])
    assert [path.split("/")[1:3] for path in storage.manifests(Stage.OUTBOX)] == [["aldi", "G1"], ["aldi", "G2"], ["iga", "9"]]
    assert len(list(storage.manifests(Stage.OUTBOX, "iga"))) == 1 and all(
        path.endswith(MANIFEST_SUFFIX) for path in storage.manifests(Stage.OUTBOX)
    )

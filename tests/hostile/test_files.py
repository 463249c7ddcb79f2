"""A folder full of hostile files costs the files themselves: the others are imported, and nothing that a link points to is copied."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from include.ingestion import pipeline
from include.ingestion.importing import ImportedFile, import_file, list_data_files
from include.staging.import_source import UnusableSource, opened
from include.staging.staged_file import UnreadableFile, read_lines
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from tests.hostile.measuring import measured
from tests.ingestion.store_days import WEDNESDAY, StoreDays, content, offers
from tests.warehouse.looking import rows

SECRET = b"root:secret of another user\n"
#: Bytes of a file's one line, in the small form and the whole one; the line has no end.
SMALL_BYTES, WHOLE_BYTES = 64_000_000, 2_000_000_000
#: Reading keeps a piece of a megabyte and at most a line of one.
GROWN_BYTES_MAX = 40_000_000


def store_day(store_id: str, retailer: str = "aldi") -> bytes:
    return content(offers(3), retailer, store_id, "VIC", WEDNESDAY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "given"
    found.mkdir()
    (tmp_path / "secret.jsonl").write_bytes(SECRET)
    (found / "a.jsonl").write_bytes(store_day("G1"))
    (found / "z.jsonl.gz").write_bytes(gzip.compress(store_day("G2")))
    return found


def import_all(warehouse: Warehouse, storage: Storage, folder: Path) -> dict[str, ImportedFile]:
    return {os.fsdecode(path.name): import_file(warehouse, storage, path) for path in list_data_files([folder])}


def link(folder: Path) -> None:
    (folder / "bad.jsonl").symlink_to(folder.parent / "secret.jsonl")


def link_of_a_link(folder: Path) -> None:
    link(folder)
    (folder / "bad.jsonl").rename(folder / "first")
    (folder / "bad.jsonl").symlink_to(folder / "first")


def dangling(folder: Path) -> None:
    (folder / "bad.jsonl").symlink_to(folder / "nowhere")


def itself(folder: Path) -> None:
    (folder / "bad.jsonl").symlink_to(folder / "bad.jsonl")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "bad.jsonl")


def device(folder: Path) -> None:
    (folder / "bad.jsonl").symlink_to("/dev/zero")


def linked_manifest(folder: Path) -> None:
    (folder / "bad.jsonl").write_bytes(store_day("G3"))
    (folder / "bad.manifest.json").symlink_to(folder.parent / "secret.jsonl")


def manifest_without_an_end(folder: Path) -> None:
    (folder / "bad.jsonl").write_bytes(store_day("G3"))
    with (folder / "bad.manifest.json").open("wb") as file:
        file.truncate(10_000_001)


def unreadable(folder: Path) -> None:
    (folder / "bad.jsonl").write_bytes(b"x")
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    (folder / "bad.jsonl").chmod(0)


#: Nothing of these is kept; the reason names the path.
NOT_READ: dict[Callable[[Path], None], str] = {
    link: "is a symbolic link, which is not followed",
    link_of_a_link: "is a symbolic link",
    dangling: "is a symbolic link",
    itself: "is a symbolic link",
    pipe: "is no regular file",
    device: "is a symbolic link",
    linked_manifest: "is a symbolic link",
    manifest_without_an_end: "is larger than 10,000,000 bytes",
    unreadable: "Permission denied",
}


@pytest.mark.parametrize("make", NOT_READ, ids=lambda make: make.__name__)
def test_what_is_no_file_is_refused_and_nothing_of_it_kept(
    warehouse: Warehouse, storage: Storage, folder: Path, make: Callable[[Path], None]
) -> None:
    make(folder)
    found = import_all(warehouse, storage, folder)

    assert {name: file.outcome for name, file in found.items()} == {"a.jsonl": "waiting", "bad.jsonl": "refused", "z.jsonl.gz": "waiting"}
    assert NOT_READ[make] in (found["bad.jsonl"].reason or "")
    kept = [Path(path) for path in storage.filesystem.find(storage.full(""))]
    assert not [path for path in kept if SECRET in path.read_bytes()]
    assert not storage.filesystem.exists(storage.full("refused"))
    assert pipeline.ingest(warehouse, storage, "aldi").published.created == 6


@pytest.mark.parametrize("name", [b"caf\xe9.jsonl", b"\xff\xfe.jsonl.gz", "x\u202egpj.jsonl".encode(), b"a\nb.jsonl", b"\x1b[31m.jsonl"])
@pytest.mark.parametrize("good", [True, False])
def test_names_that_are_no_text(warehouse: Warehouse, storage: Storage, folder: Path, name: bytes, good: bool) -> None:
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    path.write_bytes(store_day("G3") if good else b"no JSON\n")
    found = import_all(warehouse, storage, folder)

    assert found[os.fsdecode(name)].outcome == ("waiting" if good else "refused")
    assert [found[other].outcome for other in ("a.jsonl", "z.jsonl.gz")] == ["waiting", "waiting"]
    assert pipeline.ingest(warehouse, storage, "aldi").published.created == (9 if good else 6)


def test_a_refused_copy_is_its_owners_alone(warehouse: Warehouse, storage: Storage, folder: Path) -> None:
    (folder / "bad.jsonl").write_bytes(b"no JSON\n")
    (folder / "bad.jsonl").chmod(0o644)
    import_all(warehouse, storage, folder)

    (copy,) = storage.filesystem.find(storage.full("refused"))
    assert stat.S_IMODE(Path(copy).stat().st_mode) == 0o600


def test_links_to_folders_are_not_entered(warehouse: Warehouse, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.jsonl").write_bytes(SECRET)
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "up").symlink_to(folder)

    assert [path.name for path in list_data_files([folder])] == ["a.jsonl", "z.jsonl.gz"]


def test_a_file_that_grows_is_left_until_it_is_complete(warehouse: Warehouse, storage: Storage, folder: Path) -> None:
    path = folder / "a.jsonl"

    def read_while_it_grows() -> None:
        with opened(path) as file, path.open("ab") as writer:
            file.read()
            writer.write(b"x")

    with pytest.raises(UnusableSource, match=r"was changed while it was read. Import it when it is complete"):
        read_while_it_grows()


def test_a_pipe_with_a_writer_is_not_read(folder: Path) -> None:
    pipe(folder)
    writer = threading.Thread(target=lambda: os.open(folder / "bad.jsonl", os.O_RDWR), daemon=True)
    writer.start()
    writer.join()
    with pytest.raises(UnusableSource, match="is no regular file"), opened(folder / "bad.jsonl"):
        pass


@pytest.mark.parametrize("where", ["sku", "name", "store_id", "company"])
def test_nul_in_an_id_costs_its_lines_or_its_file(warehouse: Warehouse, storage: Storage, folder: Path, where: str) -> None:
    for escaped in (b"\\u0000", b"\\ud800"):
        found = {b"sku": b'"sku": "1"', b"name": b'"name": "Thing 1"', b"store_id": b'"G3"', b"company": b'"aldi"'}[where.encode()]
        (folder / f"bad{escaped[2:3].decode()}.jsonl").write_bytes(store_day("G3").replace(found, found[:-1] + escaped + b'"'))
    import_all(warehouse, storage, folder)
    pipeline.ingest(warehouse, storage, "aldi")

    assert {"G1", "G2"} <= {row["store_id"] for row in rows(warehouse, "SELECT store_id FROM ops.staged_file WHERE state = 'published'")}


def test_a_manifest_of_another_retailer_publishes_nothing(warehouse: Warehouse, storage: Storage, folder: Path, tmp_path: Path) -> None:
    other = Storage(f"file://{tmp_path / 'other'}")
    manifest = StoreDays(other)("coles", "COL:401", at=WEDNESDAY, lines=offers(3))
    lines = store_day("G3")
    manifest.sha256 = hashlib.sha256(lines).hexdigest()
    stem = manifest.name.stem
    nested = folder / manifest.name.folder
    nested.mkdir(parents=True)
    (nested / f"{stem}.jsonl.gz").write_bytes(gzip.compress(lines))
    manifest.data = f"{stem}.jsonl.gz"
    (nested / f"{stem}.manifest.json").write_bytes(manifest.to_json())
    found = import_all(warehouse, storage, folder)
    for retailer in ("aldi", "coles"):
        pipeline.ingest(warehouse, storage, retailer)

    assert found[f"{stem}.jsonl.gz"].outcome == "waiting"
    assert {row["store_id"] for row in rows(warehouse, "SELECT store_id FROM core.store_price")} == {"G1", "G2"}
    assert len(rows(warehouse, "SELECT * FROM ops.quarantined_offer WHERE 'foreign_store' = ANY(reasons)")) == 3


def read_all(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in read_lines(file, "x", 1_000_000, hashlib.sha256()))


def one_line(path: Path, size: int) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        piece = b"x" * (1 << 20)
        for _ in range(size >> 20):
            file.write(piece)


def play_one_line(tmp_path: Path, size: int) -> float:
    seconds = []
    for bytes_ in (size // 8, size):
        one_line(tmp_path / "bomb.jsonl.gz", bytes_)
        done = measured(lambda: read_all(tmp_path / "bomb.jsonl.gz"))
        assert (done.value, done.error) == (1, None)
        assert done.grown_bytes < GROWN_BYTES_MAX, f"{done.grown_bytes:,} bytes"
        seconds.append(done.cpu_seconds)
    assert seconds[1] < 30 * seconds[0] + 1, f"{seconds}: eight times the bytes take about eight times as long, not 64"
    return seconds[1]


def test_a_packed_line_without_an_end_is_read_in_linear_time_and_bounded_memory(tmp_path: Path) -> None:
    play_one_line(tmp_path, SMALL_BYTES)


@pytest.mark.campaign
def test_a_whole_packed_line_without_an_end(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    record_property("CPU seconds for 2 GB", round(play_one_line(tmp_path, WHOLE_BYTES), 1))


def test_a_packed_line_with_a_manifest(warehouse: Warehouse, storage: Storage, folder: Path, tmp_path: Path) -> None:
    other = Storage(f"file://{tmp_path / 'other'}")
    manifest = StoreDays(other)("aldi", "G3", at=WEDNESDAY, lines=[b"x" * 30_000_000])
    nested = folder / manifest.name.folder
    nested.mkdir(parents=True)
    for path in (manifest.data_path(Stage.OUTBOX), manifest.path(Stage.OUTBOX)):
        (nested / path.rsplit("/", 1)[1]).write_bytes(other.read(path))
    found = import_all(warehouse, storage, folder)

    assert {file.outcome for file in found.values()} <= {"waiting", "refused"}
    assert pipeline.ingest(warehouse, storage, "aldi").published.created == 6


def test_a_bomb_of_gzip_members_ends_with_its_damage(tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"") * 20_000 + b"\x1f\x8b")
    with pytest.raises(UnreadableFile, match="truncated or damaged"):
        read_all(tmp_path / "x.gz")

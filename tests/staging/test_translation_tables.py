"""Translation tables: written once per change, read by their ETag, one path for both sides."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.staging.storage import Storage, StorageUnavailable
from include.staging.translation_tables import (
    NOT_CHANGED,
    NotChanged,
    Table,
    TableName,
    UnreadableTable,
    WrittenTable,
    prune_versions,
    read_table,
    read_version,
    table_path,
    write_table,
)

AT = datetime(2026, 11, 18, tzinfo=UTC)
BRAND = TableName.BRAND


def write(storage: Storage, entries: dict[str, str], *, name: TableName = BRAND, at: datetime = AT, rule_version: int = 3) -> WrittenTable:
    return write_table(storage, name, entries.items(), rule_version, at)


def entries(storage: Storage, name: TableName = BRAND) -> dict[str, str]:
    found = read_table(storage, name)
    assert isinstance(found, Table)
    return dict(found.entries)


def files(storage: Storage) -> dict[str, tuple[bytes, int]]:
    root = Path(storage.full("tables"))
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.*")}


@pytest.fixture(params=["file", "memory"])
def any_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Return an empty root: of local files, and of an object store's kind."""
    return Storage(f"file://{tmp_path}" if request.param == "file" else f"memory://{tmp_path.name}")


def test_what_is_written_is_read(any_storage: Storage) -> None:
    assert entries(any_storage) == {}, "a table that was never written is empty"
    written = write(any_storage, {"coca cola co": "coca cola", "舒适": "schick", 'a"b\\c\t': "x"})
    assert written.is_changed and written.entry_count == 3
    assert entries(any_storage) == {"coca cola co": "coca cola", "舒适": "schick", 'a"b\\c\t': "x"}
    assert entries(any_storage, TableName.PRODUCT) == {}, "the other table is another one"


def test_writing_again_without_a_change_writes_nothing_and_keeps_the_etag(storage: Storage) -> None:
    first = write(storage, {"b": "a", "c": "a"})
    before = files(storage)
    again = write(storage, {"c": "a", "b": "a"}, at=AT + timedelta(days=1))
    assert not again.is_changed and again.etag == first.etag
    assert files(storage) == before


@pytest.mark.parametrize("changed", [{"b": "a"}, {"b": "a", "c": "b"}, {"b": "a", "c": "a", "d": "a"}, {}])
def test_every_change_gives_another_etag(storage: Storage, changed: dict[str, str]) -> None:
    first = write(storage, {"b": "a", "c": "a"})
    assert write(storage, changed).etag != first.etag
    assert entries(storage) == changed


def test_another_rule_version_is_another_table(storage: Storage) -> None:
    assert write(storage, {"b": "a"}, rule_version=3).etag != write(storage, {"b": "a"}, rule_version=4).etag


def test_a_reader_that_knows_the_etag_reads_the_header_only(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    etag = write(storage, {f"variation {n}": "one" for n in range(1000)}).etag
    read: list[int] = []
    cat_file = storage.filesystem.cat_file

    def counted(*values: Any, **more: Any) -> bytes:
        found: bytes = cat_file(*values, **more)
        read.append(len(found))
        return found

    monkeypatch.setattr(storage.filesystem, "cat_file", counted)
    monkeypatch.setattr(Storage, "read", lambda self, path: pytest.fail(f"{path} was read whole"))
    assert read_table(storage, BRAND, etag) is NOT_CHANGED
    assert read == [1024]


def test_a_reader_of_no_table_is_told_so() -> None:
    assert read_table(Storage("memory://nothing"), BRAND, "") is NOT_CHANGED


def test_generator_and_reader_agree_on_the_path(storage: Storage) -> None:
    etag = write(storage, {"b": "a"}).etag
    assert sorted(files(storage)) == ["brand.json", f"brand/{etag}.json"]
    assert {table_path(BRAND), table_path(BRAND, etag)} == {"tables/brand.json", f"tables/brand/{etag}.json"}
    content = json.loads(Path(storage.full("tables/brand.json")).read_text())
    assert content["entries"] == {"b": "a"} and content["etag"] == etag and content["rule_version"] == 3


def test_keys_are_text_also_where_they_look_like_numbers(storage: Storage) -> None:
    write(storage, {"7": "4711", "0042": "7"})
    found = read_table(storage, BRAND)
    assert isinstance(found, Table)
    assert (found.canonical("7"), found.canonical("0042"), found.canonical("42")) == ("4711", "7", "42")


def test_every_version_stays_readable_by_its_etag(storage: Storage) -> None:
    first, second = write(storage, {"b": "a"}), write(storage, {"c": "a"}, at=AT + timedelta(days=1))
    kept = [read_version(storage, BRAND, written.etag) for written in (first, second)]
    assert [dict(table.entries) for table in kept if table] == [{"b": "a"}, {"c": "a"}]
    assert read_version(storage, BRAND, "") == Table(BRAND) and read_version(storage, BRAND, "0" * 32) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-10], lambda content: content.replace(b'"a"', b'"e"'), lambda content: b"", lambda content: b"[1]",
        lambda content: content.replace(b'"name":"brand"', b'"name":"product"'),
    ],
    ids=["cut", "changed", "empty", "other", "renamed"],
)  # fmt: skip
def test_a_damaged_table_is_an_error_and_is_written_again(storage: Storage, damage: Any) -> None:
    etag = write(storage, {"b": "a"}).etag
    path = Path(storage.full("tables/brand.json"))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableTable, match="aisleflow catalogue tables --write"):
        read_table(storage, BRAND)
    assert write(storage, {"b": "a"}) == WrittenTable(BRAND, etag, 1, is_changed=True)
    assert entries(storage) == {"b": "a"}


@pytest.mark.parametrize("refused", ["tables/brand/", "tables/brand.json"])
def test_a_disk_that_refuses_a_file_leaves_the_table_in_force(any_storage: Storage, refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(any_storage, {"b": "a"})
    accepted = Storage.write

    def refuse(self: Storage, path: str, content: bytes) -> None:
        if path.startswith(refused):
            raise StorageUnavailable("no space left")
        accepted(self, path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "write", refuse)
        with pytest.raises(StorageUnavailable):
            write(any_storage, {"c": "a"}, at=AT + timedelta(days=1))
    assert read_table(any_storage, BRAND, first.etag) is NOT_CHANGED and entries(any_storage) == {"b": "a"}
    again = write(any_storage, {"c": "a"}, at=AT + timedelta(days=2))
    assert again.is_changed and entries(any_storage) == {"c": "a"} and read_version(any_storage, BRAND, again.etag) is not None


def test_hostile_texts_are_read_as_they_were_written(any_storage: Storage) -> None:
    hostile = {
        f"{text}{number}": "canonical \u2029"
        for number, text in enumerate(
            ("\x00\x1f", "\u202e", "\r\n\t", '"},"x":{', ',"entries":', "\\N", "\ufeff", "x" * 100_000, "\U0001f600")
        )
    }
    etag = write(any_storage, hostile).etag
    assert entries(any_storage) == hostile and not write(any_storage, dict(reversed(hostile.items()))).is_changed
    assert read_table(any_storage, BRAND, etag) is NOT_CHANGED


def test_a_newer_format_is_not_guessed(storage: Storage) -> None:
    write(storage, {"b": "a"})
    path = Path(storage.full("tables/brand.json"))
    path.write_bytes(path.read_bytes().replace(b'"format_version":1', b'"format_version":2'))
    with pytest.raises(UnreadableTable, match="Upgrade Aisleflow"):
        read_table(storage, BRAND)


def test_versions_go_when_no_landed_store_day_can_have_begun_with_them(storage: Storage) -> None:
    etags = [write(storage, {"b": str(day)}, at=AT + timedelta(days=day)).etag for day in range(4)]
    assert prune_versions(storage, AT + timedelta(days=2)) == 1, "the first was replaced on the day before; the second on that very day"
    assert [read_version(storage, BRAND, etag) is not None for etag in etags] == [False, True, True, True]
    assert prune_versions(storage, AT + timedelta(days=99)) == 2
    assert isinstance(read_version(storage, BRAND, etags[3]), Table), "the one in force stays"
    assert not isinstance(read_table(storage, BRAND, etags[0]), NotChanged)


def test_a_version_that_comes_back_is_in_force_again(storage: Storage) -> None:
    first = write(storage, {"b": "a"})
    write(storage, {}, at=AT + timedelta(days=1))
    back = write(storage, {"b": "a"}, at=AT + timedelta(days=2))
    assert (back.etag, back.is_changed) == (first.etag, True)
    assert prune_versions(storage, AT + timedelta(days=99)) == 1
    assert entries(storage) == {"b": "a"} and read_version(storage, BRAND, first.etag) is not None

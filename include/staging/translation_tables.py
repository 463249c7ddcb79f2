"""Translation tables: variation → canonical, for brands and for product keys, as JSON files in the storage root.

``tables/<name>.json`` is the table in force. ``tables/<name>/<etag>.json`` keeps each version under the hash of its content, so that a store-day that began with
it can be continued or read again with it. A version is written first and each file is replaced as a whole, so a reader sees one table or the next.
A file is only written when its content changes; reading costs one kilobyte while it does not.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from include.errors import TerminalError
from include.staging.storage import Storage, reaching

log = logging.getLogger(__name__)

FORMAT_VERSION = 1
#: The header ends within these bytes: one small request says whether a table has changed.
_HEAD_BYTES = 1_024
_ENTRIES = b',"entries":'
#: ETag of a table that was never written.
NO_ETAG = ""


class TableName(StrEnum):
    """What a table translates."""

    BRAND = "brand"
    PRODUCT = "product"


class UnreadableTable(TerminalError):
    """A translation table is damaged."""


class NotChanged:
    """The answer of :func:`read_table` when the table still has the ETag that the reader knows."""


NOT_CHANGED: Final = NotChanged()


@dataclass(frozen=True, slots=True)
class Table:
    """One version of a table. ``entries`` has no variation that is its own canonical, and no canonical that is a variation."""

    name: TableName
    etag: str = NO_ETAG
    entries: Mapping[str, str] = field(default_factory=dict)

    def canonical(self, variation: str) -> str:
        """Return the canonical of a variation; a text that is no variation is its own.

        >>> Table(TableName.BRAND, "1", {"coca cola co": "coca cola"}).canonical("coca cola co")
        'coca cola'
        """
        return self.entries.get(variation, variation)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that one store-day is cleaned with."""

    brand: Table = field(default_factory=lambda: Table(TableName.BRAND))
    product: Table = field(default_factory=lambda: Table(TableName.PRODUCT))

    @property
    def etags(self) -> dict[str, str]:
        """The ETag of each table that was ever written, by name."""
        return {str(table.name): table.etag for table in (self.brand, self.product) if table.etag}


class TableHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before the entries of a table's file. ``rule_version`` is of the product keys; ``written_at`` is no part of the content."""

    format_version: int
    name: TableName
    etag: str
    rule_version: int
    entry_count: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table as it is in force after writing. ``is_changed``: this call wrote it."""

    name: TableName
    etag: str
    entry_count: int
    is_changed: bool


class _Body(msgspec.Struct, frozen=True):
    entries: dict[str, str]


def table_path(name: TableName, etag: str | None = None) -> str:
    """Return the path below the storage root: of the table in force, or of one version. Writer and readers use no other.

    >>> table_path(TableName.BRAND), table_path(TableName.BRAND, "1f")
    ('tables/brand.json', 'tables/brand/1f.json')
    """
    return f"tables/{name}.json" if etag is None else f"tables/{name}/{etag}.json"


def write_table(storage: Storage, name: TableName, entries: Iterable[tuple[str, str]], rule_version: int, now: datetime) -> WrittenTable:
    """Write a table unless its content is in force already.

    Args:
        entries: variation and canonical; their order does not matter.
        now: recorded with a new version.

    Two writers at once would leave one of the two tables: the caller holds a lock from reading the entries on.
    """
    body, count = _encode(entries)
    etag = _etag(name, rule_version, body)
    if _in_force(storage, name) == etag and storage.exists(table_path(name, etag)):
        return WrittenTable(name, etag, count, is_changed=False)
    header = TableHeader(format_version=FORMAT_VERSION, name=name, etag=etag, rule_version=rule_version, entry_count=count, written_at=now)
    content = msgspec.json.encode(header)[:-1] + _ENTRIES + body
    storage.write(table_path(name, etag), content)
    storage.write(table_path(name), content)
    return WrittenTable(name, etag, count, is_changed=True)


def read_table(storage: Storage, name: TableName, etag: str | None = None) -> Table | NotChanged:
    """Return the table in force, or that it still has the ETag the reader knows. One that was never written is empty.

    Raises:
        UnreadableTable: the file is damaged.
    """
    header = read_header(storage, name)
    if (header.etag if header else NO_ETAG) == etag:
        return NOT_CHANGED
    return Table(name) if header is None else _load(storage, name, table_path(name))


def read_version(storage: Storage, name: TableName, etag: str) -> Table | None:
    """Return one version of a table by its ETag; ``None`` if it is not kept any more.

    Raises:
        UnreadableTable: the file is damaged.
    """
    if etag == NO_ETAG:
        return Table(name)
    try:
        found = _load(storage, name, table_path(name, etag))
    except FileNotFoundError:
        return None
    if found.etag != etag:
        raise UnreadableTable(f"{table_path(name, etag)}: holds the version {found.etag}. Delete it: it was renamed.")
    return found


def read_header(storage: Storage, name: TableName, etag: str | None = None) -> TableHeader | None:
    """Return the header of the table in force, or of one version; ``None`` if there is none.

    Raises:
        UnreadableTable: the file is damaged.
    """
    full = storage.full(table_path(name, etag))
    try:
        with reaching(full):
            head: bytes = storage.filesystem.cat_file(full, start=0, end=_HEAD_BYTES)
        return msgspec.json.decode(head.partition(_ENTRIES)[0] + b"}", type=TableHeader)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(full, error) from error


def prune_versions(storage: Storage, oldest: datetime) -> int:
    """Remove the versions that were replaced before ``oldest``; return how many. The one in force stays. Safe to repeat."""
    removed = 0
    for name in TableName:
        in_force = read_header(storage, name)
        found = sorted(
            (header for etag in _versions(storage, name) if (header := read_header(storage, name, etag)) is not None),
            key=lambda header: header.written_at,
        )
        for header, successor in itertools.pairwise(found):
            if successor.written_at < oldest and in_force is not None and header.etag != in_force.etag:
                storage.remove(table_path(name, header.etag))
                removed += 1
    return removed


def _versions(storage: Storage, name: TableName) -> list[str]:
    folder = storage.full(table_path(name, "any").rsplit("/", 1)[0])
    with reaching(folder):
        storage.filesystem.invalidate_cache()
        found = storage.filesystem.ls(folder, detail=False) if storage.filesystem.exists(folder) else []
    return [str(path).rsplit("/", 1)[1].removesuffix(".json") for path in found if str(path).endswith(".json")]


def _encode(entries: Iterable[tuple[str, str]]) -> tuple[bytes, int]:
    """Return the entries as JSON to the end of the file, one a line in the order of their bytes, and their number."""
    encode = msgspec.json.encode
    lines = sorted(encode(variation) + b":" + encode(canonical) for variation, canonical in entries)
    return b"{\n" + b",\n".join(lines) + b"\n}}\n", len(lines)


def _etag(name: TableName, rule_version: int, body: bytes) -> str:
    return hashlib.sha256(f"{name} {rule_version}\n".encode() + body).hexdigest()[:32]


def _in_force(storage: Storage, name: TableName) -> str | None:
    """Return the ETag of the table in force if its whole file is sound: a damaged one is written again."""
    try:
        return _load(storage, name, table_path(name)).etag
    except FileNotFoundError:
        return None
    except UnreadableTable as error:
        log.warning("%s", error)
        return None


def _damaged(path: str, why: object) -> UnreadableTable:
    return UnreadableTable(f"{path}: not a translation table ({why}). `aisleflow catalogue tables --write` writes it again.")


def _load(storage: Storage, name: TableName, path: str) -> Table:
    content = storage.read(path)
    head, _, body = content.partition(_ENTRIES)
    try:
        header = msgspec.json.decode(head + b"}", type=TableHeader)
        entries = msgspec.json.decode(b'{"entries":' + body, type=_Body).entries
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(path, error) from error
    if header.format_version > FORMAT_VERSION:
        raise UnreadableTable(
            f"{path}: format version {header.format_version}, this installation reads up to {FORMAT_VERSION}. Upgrade Aisleflow."
        )
    if header.name != name or header.etag != _etag(name, header.rule_version, body):
        raise _damaged(path, "its content does not fit its ETag")
    return Table(name, header.etag, entries)

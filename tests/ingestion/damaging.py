"""Staged files as a full disk, a bad cable or a wrong script leave them: data and manifest damaged from a seed."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

from include.staging.manifest import Manifest
from include.staging.storage import Stage, Storage

#: What still publishes everything: the bytes differ, the lines do not.
HARMLESS = ("nothing", "unpacked", "two members", "unknown manifest keys", "manifest as one long line")


class FileDamager:
    """Damages staged files of one storage; every kind is a method that takes a manifest."""

    def __init__(self, storage: Storage, seed: int) -> None:
        self._storage, self._dice = storage, random.Random(seed)
        self._before: Manifest | None = None
        self._kinds: dict[str, Callable[[Manifest], None]] = {
            "nothing": lambda manifest: None,
            "unpacked": lambda manifest: self._data(manifest, gzip.decompress),
            "two members": lambda manifest: self._data(manifest, self._two_members),
            "unknown manifest keys": lambda manifest: self._fields(manifest, {"colour": ["blue"], "from_the_future": {"a": 1}}),
            "manifest as one long line": lambda manifest: self._manifest(manifest, lambda data: json.dumps(json.loads(data)).encode()),
            "cut": lambda manifest: self._data(manifest, lambda data: data[: self._dice.randrange(len(data))]),
            "empty": lambda manifest: self._data(manifest, lambda data: b""),
            "a bit turned": lambda manifest: self._data(manifest, self._turn_a_bit),
            "a hole": lambda manifest: self._data(manifest, self._zeros),
            "more behind the end": lambda manifest: self._data(manifest, lambda data: data + self._dice.randbytes(20)),
            "a line more": lambda manifest: self._lines(manifest, lambda lines: [*lines, lines[0]]),
            "a line less": lambda manifest: self._lines(manifest, lambda lines: lines[:-1]),
            "lines in another order": lambda manifest: self._lines(manifest, lambda lines: lines[::-1]),
            "no data": lambda manifest: self._storage.remove(manifest.data_path(Stage.OUTBOX)),
            "data of another store": self._swap,
            "manifest cut": lambda manifest: self._manifest(manifest, lambda data: data[: self._dice.randrange(len(data))]),
            "manifest with a bit turned": lambda manifest: self._manifest(manifest, self._turn_a_bit),
            "manifest of no JSON": lambda manifest: self._manifest(manifest, lambda data: self._dice.randbytes(100)),
            "manifest of something else": lambda manifest: self._manifest(manifest, lambda data: self._dice.choice((b"[]", b"null", b"7", b"{}", b'"x"'))),
            "a field lost": self._field_lost,
            "wrong rows": lambda manifest: self._fields(manifest, {"rows": self._dice.choice((0, -1, manifest.rows + 1, 2**31, 2**70, "7", None))}),
            "wrong hash": lambda manifest: self._fields(manifest, {"sha256": self._dice.choice(("0" * 64, "", "../../etc", manifest.sha256.upper()))}),
            "wrong names": lambda manifest: self._fields(
                manifest, {self._dice.choice(("retailer", "store_id", "run_key", "night")): self._dice.choice(("..", "../../x", "tesco", "", "a\x00b", "x" * 300, 7))}
            ),
            "wrong instants": lambda manifest: self._fields(
                manifest, {self._dice.choice(("observed_at", "last_observed_at")): self._dice.choice(("2026-11-18", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", None, 1e400))}
            ),
            "another format": lambda manifest: self._fields(manifest, {"format_version": self._dice.choice((0, 2, 99, "1", None))}),
        }  # fmt: skip

    @property
    def kinds(self) -> list[str]:
        """Every kind of damage by name."""
        return list(self._kinds)

    def do(self, manifest: Manifest, kind: str) -> None:
        """Damage a file in the outbox."""
        self._kinds[kind](manifest)
        self._before = manifest

    def _data(self, manifest: Manifest, change: Callable[[bytes], bytes]) -> None:
        path = manifest.data_path(Stage.OUTBOX)
        self._storage.write(path, change(self._storage.read(path)))

    def _manifest(self, manifest: Manifest, change: Callable[[bytes], bytes]) -> None:
        path = manifest.path(Stage.OUTBOX)
        self._storage.write(path, change(self._storage.read(path)))

    def _fields(self, manifest: Manifest, changed: dict[str, Any]) -> None:
        self._manifest(manifest, lambda data: json.dumps(json.loads(data) | changed).encode())

    def _field_lost(self, manifest: Manifest) -> None:
        def lose(data: bytes) -> bytes:
            fields = json.loads(data)
            del fields[
                self._dice.choice(("retailer", "store_id", "night", "run_key", "observed_at", "last_observed_at", "rows", "sha256", "data"))
            ]
            return json.dumps(fields).encode()

        self._manifest(manifest, lose)

    def _lines(self, manifest: Manifest, change: Callable[[list[bytes]], list[bytes]]) -> None:
        self._data(manifest, lambda data: gzip.compress(b"\n".join(change(gzip.decompress(data).rstrip(b"\n").split(b"\n"))) + b"\n"))

    def _two_members(self, data: bytes) -> bytes:
        plain = gzip.decompress(data)
        position = self._dice.randrange(len(plain))
        return gzip.compress(plain[:position]) + gzip.compress(plain[position:])

    def _turn_a_bit(self, data: bytes) -> bytes:
        position = self._dice.randrange(len(data))
        return data[:position] + bytes([data[position] ^ 1 << self._dice.randrange(8)]) + data[position + 1 :]

    def _zeros(self, data: bytes) -> bytes:
        position = self._dice.randrange(10, len(data))
        return data[:position] + b"\x00" * 64 + data[position + 64 :]

    def _swap(self, manifest: Manifest) -> None:
        if self._before is None or not self._storage.exists(self._before.data_path(Stage.OUTBOX)):
            return self._kinds["no data"](manifest)
        here, there = manifest.data_path(Stage.OUTBOX), self._before.data_path(Stage.OUTBOX)
        mine, theirs = self._storage.read(here), self._storage.read(there)
        self._storage.write(here, theirs)
        return self._storage.write(there, mine)

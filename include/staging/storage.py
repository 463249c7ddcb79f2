"""The storage root (any fsspec URL) and its layout.

``<root>/<stage>/<retailer>/<store id, percent-encoded>/<night>--<run key>--<content hash>.jsonl.gz``
with ``….manifest.json`` beside it, written last. **Readers ignore a data file without a manifest**, so
publication needs no rename (object stores have none) and no reader sees a partial file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote
from uuid import uuid4

import fsspec
from fsspec import AbstractFileSystem

from include.errors import TerminalError, TransientError
from include.retailer_names import RETAILERS

DATA_SUFFIX = ".jsonl.gz"
MANIFEST_SUFFIX = ".manifest.json"
_RUN_KEY = re.compile(r"[A-Za-z0-9_.+-]{1,80}")
_HASH = re.compile(r"[0-9a-f]{64}")


class StorageUnavailable(TransientError):
    """The storage root, or a file in it, cannot be read or written now. It says nothing about a file's content."""


class UnusableFile(TerminalError):
    """One staged or imported file cannot be used, and will not be usable later: it is refused, the others are not affected."""


class Stage(StrEnum):
    """The folders of a storage root."""

    LANDING = "landing"
    BARCODE_INBOX = "barcode_inbox"
    OUTBOX = "outbox"
    REFUSED = "refused"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class StagedName:
    """The parts of a staged file's name, which is the same in every stage.

    Raises:
        UnusableFile: a part is not allowed in a path (names are built from data, so they are checked).
    """

    retailer: str
    store_id: str
    night: date
    run_key: str
    content_hash: str

    def __post_init__(self) -> None:
        if self.retailer not in RETAILERS:
            raise UnusableFile(f"unknown retailer {self.retailer!r}; known: {', '.join(RETAILERS)}. Correct `company` in the file.")
        form = RETAILERS[self.retailer].store_id
        if not re.fullmatch(form, self.store_id, re.ASCII):
            raise UnusableFile(
                f"store id {self.store_id[:80]!r} is not one of {self.retailer}, whose ids match {form}. Correct `metadata.store_id` in the file."
            )
        if not _RUN_KEY.fullmatch(self.run_key) or "--" in self.run_key:
            raise UnusableFile(f"run key {self.run_key!r} may hold only letters, digits, '_', '.', '+' and single '-'. See run_key_of().")
        if not _HASH.fullmatch(self.content_hash):
            raise UnusableFile(f"content hash {self.content_hash!r} is not a SHA-256 in hex. Stage the store-day again.")

    @property
    def folder(self) -> str:
        """Retailer and store part of the path."""
        # quote() keeps '.', and a store named '..' must not leave the folder
        return f"{self.retailer}/{quote(self.store_id, safe='').replace('.', '%2E')}"

    @property
    def stem(self) -> str:
        """File name without suffix, with a shortened hash (the ledger and the manifest hold the full one)."""
        return f"{self.night.isoformat()}--{self.run_key}--{self.content_hash[:16]}"


def run_key_of(*parts: str) -> str:
    """Make a run key from the ids of a run (DAG id, run id): path-safe, stable, at most 80 characters.

    >>> run_key_of("scrape_aldi", "scheduled__2026-11-18T04:00:00+11:00")
    'scrape_aldi_scheduled_2026-11-18T04_00_00+11_00'
    """
    text = re.sub(r"[^A-Za-z0-9.+-]+", "_", "_".join(parts))
    return re.sub(r"([_-])\1+", r"\1", text)[-80:].strip("_")


@contextmanager
def reaching(path: str) -> Iterator[None]:
    """Raise failures to reach a path as :class:`StorageUnavailable`; facts about the path (missing, a folder) stay what they are."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise
    except Exception as error:
        clients = sys.modules.get("botocore.exceptions")  # an object store's client raises errors that are no OSError
        if not isinstance(error, OSError) and not (clients and isinstance(error, clients.BotoCoreError)):
            raise
        raise StorageUnavailable(
            f"{path} cannot be reached ({error}). Check that the storage root is mounted, writable and up. Nothing is refused or lost; the next run tries again."
        ) from error


class Storage:
    """One storage root. All paths are relative to it, so a root may be moved or mounted elsewhere."""

    def __init__(self, url: str) -> None:
        """``url`` is any fsspec URL (``file://``, ``s3://``, ``memory://``)."""
        self.url = url.rstrip("/")

    @cached_property
    def _filesystem_and_root(self) -> tuple[AbstractFileSystem, str]:
        filesystem, root = fsspec.core.url_to_fs(self.url)
        return filesystem, root.rstrip("/")

    @property
    def filesystem(self) -> AbstractFileSystem:
        """The fsspec file system behind the root."""
        return self._filesystem_and_root[0]

    def full(self, path: str) -> str:
        """Return the file system's path of a relative path."""
        return f"{self._filesystem_and_root[1]}/{path}"

    def open(self, path: str, mode: str = "rb") -> IO[bytes]:
        """Open a relative path; writing creates the folders.

        Raises:
            FileNotFoundError, IsADirectoryError, NotADirectoryError: facts about this path.
            StorageUnavailable: every other failure, here and in the methods below.
        """
        full = self.full(path)
        with reaching(full):
            if "r" not in mode:
                self._make_folder(path)
            return self.filesystem.open(full, mode)  # type: ignore[no-any-return]

    def put(self, local_path: str, path: str) -> None:
        """Copy a local file into the root. Readers ignore it until its manifest is written."""
        full = self.full(path)
        with reaching(full):
            self._make_folder(path)
            self.filesystem.put_file(local_path, full)
            if "file" in self._protocols:
                Path(full).chmod(0o600)  # of a copy, whatever rights the original gave

    def read(self, path: str) -> bytes:
        """Read a small file into memory."""
        with reaching(self.full(path)), self.open(path) as file:
            return file.read()

    def write(self, path: str, content: bytes) -> None:
        """Write a small file atomically: by rename on a local disk, by the object store itself elsewhere."""
        local = "file" in self._protocols
        target = f"{path}.{uuid4().hex[:12]}.writing" if local else path  # two processes may write the same file concurrently
        with reaching(self.full(path)):
            with self.open(target, "wb") as file:
                file.write(content)
            if local:
                self.filesystem.mv(self.full(target), self.full(path))

    def create(self, path: str, content: bytes) -> bool:
        """Write a small file whole unless there is one; return whether it was written. Of two processes that create one file, one does."""
        local = "file" in self._protocols
        target = f"{path}.{uuid4().hex[:12]}.writing" if local else path
        with reaching(self.full(path)):
            self._make_folder(path)
            try:
                with self.filesystem.open(self.full(target), "xb") as file:
                    file.write(content)
                if local:  # an object store shows a new file only when it is closed
                    Path(self.full(path)).hardlink_to(self.full(target))
            except FileExistsError:
                return False
            finally:
                if local:
                    Path(self.full(target)).unlink(missing_ok=True)
        return True

    def move(self, path: str, target: str) -> None:
        """Move a file to another relative path, if it is there."""
        with suppress(FileNotFoundError), reaching(self.full(path)):
            self._make_folder(target)
            self.filesystem.mv(self.full(path), self.full(target))

    def is_there(self) -> bool:
        """Return whether the root holds any stage. An empty one is new, or its disk is not mounted."""
        return any(self.exists(stage) for stage in Stage)

    def exists(self, path: str) -> bool:
        """Return whether the file exists now, bypassing the listing cache."""
        with reaching(self.full(path)):
            self.filesystem.invalidate_cache()
            return bool(self.filesystem.exists(self.full(path)))

    def is_file(self, path: str) -> bool:
        """Return whether there is a file at the path, and not a folder."""
        with reaching(self.full(path)):
            return bool(self.filesystem.isfile(self.full(path)))

    def modified(self, path: str) -> datetime | None:
        """Return when a file was last written, in UTC; ``None`` if it is missing or the file system does not report it."""
        try:
            with reaching(self.full(path)):
                at: datetime = self.filesystem.modified(self.full(path))
        except (FileNotFoundError, NotImplementedError):
            return None
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def remove(self, path: str) -> None:
        """Remove a file if it is there."""
        with suppress(FileNotFoundError), reaching(self.full(path)):  # another process removed it first
            self.filesystem.rm_file(self.full(path))

    def manifests(self, stage: Stage, below: str | None = None) -> Iterator[str]:
        """Yield the relative paths of all manifests of a stage, or of a folder in it (a retailer's, a store's), sorted."""
        yield from (path for path in self.files(f"{stage}/{below}" if below else str(stage)) if path.endswith(MANIFEST_SUFFIX))

    def files(self, folder: str) -> list[str]:
        """Return the relative paths of all files below a folder, sorted; none if there is no such folder."""
        full = self.full(folder)
        start = len(self._filesystem_and_root[1]) + 1
        with reaching(full):
            self.filesystem.invalidate_cache()
            found = self.filesystem.find(full) if self.filesystem.exists(full) else []
        return sorted(path[start:] for path in found)

    def _make_folder(self, path: str) -> None:
        """Create the folder of a relative path. A local root that is not there yet is made for its owner alone."""
        if "file" in self._protocols:
            Path(self._filesystem_and_root[1]).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.filesystem.makedirs(self.full(path).rsplit("/", 1)[0], exist_ok=True)

    @property
    def _protocols(self) -> tuple[str, ...]:
        protocol = self.filesystem.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def store_id_of(path: str) -> str:
    """Return the store id in a relative path.

    >>> store_id_of("outbox/coles/COL%3A401/2026-11-18--r--0.jsonl.gz")
    'COL:401'
    """
    return unquote(path.split("/")[2])

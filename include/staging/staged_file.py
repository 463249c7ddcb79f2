"""Write and read staged files: constant memory, any storage root, no partial file visible."""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, NamedTuple, Self

from isal import igzip
from isal.igzip_lib import IsalError

from include.errors import TerminalError
from include.model.instants import crawl_window
from include.model.offer import Offer, encode
from include.model.store import StoreRef
from include.staging.manifest import Categories, Manifest, read_manifest
from include.staging.storage import Stage, Storage, StorageUnavailable, UnusableFile, reaching

_CHUNK = 1 << 20
#: Errors of a damaged file; an ``OSError`` other than ``BadGzipFile`` comes from the disk or the network.
_DAMAGE: tuple[type[Exception], ...] = (EOFError, OSError, IsalError)  # type: ignore[assignment]  # the package's stub takes the class for an instance
#: ISA-L's level 2. On real store-days (1,213 bytes a line) it takes 1.1 microseconds and 135 bytes a line, where zlib takes
#: 24.2 and 108 at level 9, 11.6 and 111 at level 6, 6.1 and 132 at level 3.
_PACK_LEVEL = 2
#: Offer fields whose absence is counted in the manifest, for the check of field fill.
COUNTED_FIELDS = ("name", "brand", "size", "barcode", "price_current", "per_unit_price_string", "category_path")


class UnreadableFile(UnusableFile):
    """The file cannot be unpacked, or differs from its manifest."""


class MissingFile(UnreadableFile):
    """Neither the data file nor its manifest is in the stage. That may be the storage's fault: never a reason to refuse the file."""


@dataclass(slots=True)
class _Tally:
    """Counters and digest of the written lines."""

    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    rows: int = 0
    instants: Counter[datetime] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)


class StoreDayWriter:
    """Writes one store-day: lines to a local temporary file, then data file, then manifest.

    Use as a context manager; :meth:`publish` makes it visible, without it nothing is written.
    """

    #: Path of the manifest below the storage root, once it is published.
    manifest_path: str | None = None

    def __init__(
        self, storage: Storage, stage: Stage, store: StoreRef, night: date, run_key: str, adapter_version: str | None = None
    ) -> None:
        self._storage, self._stage, self._store, self._night, self._run_key = storage, stage, store, night, run_key
        self._adapter_version = adapter_version
        self._tally = _Tally()
        self._directory = tempfile.TemporaryDirectory(prefix="aisleflow-")
        self._local = Path(self._directory.name) / "store-day.jsonl.gz"
        self._file = self._local.open("wb")
        self._gzip = pack(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()
        self._directory.cleanup()

    def _close(self) -> None:
        self._gzip.close()  # writes the trailer, and leaves the underlying file open
        self._file.close()

    @property
    def rows(self) -> int:
        """Lines written so far."""
        return self._tally.rows

    def write(self, offer: Offer) -> None:
        """Append one offer."""
        line = encode(offer, self._store) + b"\n"
        tally = self._tally
        self._gzip.write(line)
        tally.digest.update(line)
        tally.rows += 1
        tally.instants[offer.observed_at] += 1
        for name in COUNTED_FIELDS:
            value = getattr(offer, name)
            if value is None or value == "" or value == ():
                tally.missing[name] += 1

    def publish(
        self,
        *,
        complete: bool,
        incomplete_reason: str | None = None,
        is_partial_on_request: bool = False,
        categories: Categories | None = None,
        pages: int = 0,
        etags: Mapping[str, str] | None = None,
    ) -> Manifest:
        """Make the store-day visible: data file first, manifest last. Safe to repeat with equal lines.

        Args:
            etags: of the translation tables that the lines were cleaned with, by name.

        Raises:
            TerminalError: no line was written: an empty crawl is a failure.
        """
        tally = self._tally
        if not tally.instants:
            raise TerminalError(
                f"{self._store.retailer} {self._store.store_id}: no offer was written, so there is no store-day to publish. See the crawl's log."
            )
        self._close()
        first_at, last_at = crawl_window({(instant, False): lines for instant, lines in tally.instants.items()})
        manifest = Manifest(
            retailer=self._store.retailer, store_id=self._store.store_id, store_name=self._store.name, state=self._store.state,
            online_store_id=self._store.online_store_id, night=self._night, run_key=self._run_key,
            observed_at=first_at, last_observed_at=last_at, rows=tally.rows, sha256=tally.digest.hexdigest(), data="",
            complete=complete, incomplete_reason=incomplete_reason, is_partial_on_request=is_partial_on_request,
            categories=categories or Categories(), pages=pages,
            missing=dict(tally.missing), adapter_version=self._adapter_version, etags=dict(etags or {}),
        )  # fmt: skip
        self.manifest_path = manifest.path(self._stage)
        return stage_local(self._storage, self._stage, self._local, manifest)


def stage_local(storage: Storage, stage: Stage, local: Path, manifest: Manifest) -> Manifest:
    """Copy a local gzip file into a stage under its manifest's name, then write the manifest."""
    manifest.data = manifest.data_path(stage).rsplit("/", 1)[1]
    storage.put(str(local), manifest.data_path(stage))
    storage.write(manifest.path(stage), manifest.to_json())
    return manifest


class RawLine(NamedTuple):
    """One line as bytes. ``problem``: why it was cut, if it was."""

    number: int
    raw: bytes
    problem: Literal["line_too_long"] | None = None


def read_lines(file: IO[bytes], where: str, line_bytes_max: int, digest: hashlib._Hash | None = None) -> Iterator[RawLine]:
    """Yield the lines of an opened data file, gzip or plain, blank lines left out (they keep their numbers).

    ``digest`` is fed with the unpacked bytes. A line longer than ``line_bytes_max`` is cut to its first 2,000 bytes and marked; memory stays bounded,
    and the time is linear in the bytes for lines of any length.

    Raises:
        UnreadableFile: the gzip stream is damaged or cut short.
    """
    number, overlong = 0, False
    pending, pending_bytes = list[bytes](), 0  # start of a line that continues in the next chunk
    try:
        unpacked = _unpack(file)
        while chunk := unpacked.read(_CHUNK):
            if digest is not None:
                digest.update(chunk)
            lines = chunk.split(b"\n")
            remainder = lines.pop()
            if lines and pending:
                lines[0] = b"".join([*pending, lines[0]])
                pending, pending_bytes = [], 0
            for raw in lines:
                number += 1
                if overlong or len(raw) > line_bytes_max:
                    overlong = False
                    yield RawLine(number, raw[:2000], "line_too_long")
                elif raw.strip():
                    yield RawLine(number, raw)
            if remainder and not overlong:
                pending.append(remainder)
                pending_bytes += len(remainder)
                if pending_bytes > line_bytes_max:
                    pending, overlong = [b"".join(pending)[:2000]], True
        last = b"".join(pending)
        if overlong:
            yield RawLine(number + 1, last[:2000], "line_too_long")
        elif last.strip():
            yield RawLine(number + 1, last)
    except _DAMAGE as error:
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise StorageUnavailable(
                f"{where}: reading failed after line {number} ({error}). Check the disk or the network, then repeat the step."
            ) from error
        raise UnreadableFile(
            f"{where}: the gzip data is truncated or damaged after line {number} ({error}). Crawl or export the store-day again."
        ) from error


def _unpack(file: IO[bytes]) -> IO[bytes]:
    magic = file.read(2)
    file.seek(0)
    return igzip.IGzipFile(fileobj=file, mode="rb") if magic == b"\x1f\x8b" else file  # type: ignore[no-untyped-call,return-value]


def pack(target: IO[bytes]) -> IO[bytes]:
    """Return a writer that packs into an opened file; equal bytes give equal files. Closing it leaves the underlying file open."""
    return igzip.IGzipFile(filename="", fileobj=target, mode="wb", compresslevel=_PACK_LEVEL, mtime=0)  # type: ignore[no-untyped-call,return-value]


def open_staged(storage: Storage, manifest: Manifest, stage: Stage, line_bytes_max: int) -> Iterator[RawLine]:
    """Yield the lines of a staged file, then compare its content with the manifest.

    Raises:
        UnreadableFile: damaged, missing, or its rows or SHA-256 differ from the manifest's.
    """
    path = manifest.data_path(stage)
    digest, rows = hashlib.sha256(), 0
    try:
        file = storage.open(path)
    except FileNotFoundError as error:
        if not storage.exists(manifest.path(stage)):
            raise MissingFile(
                f"{path}: neither the data file nor its manifest is there. Check that the storage root {storage.url} is complete; put the file back, or stage the store-day again."
            ) from error
        raise UnreadableFile(f"{path}: the data file named by the manifest is missing. Stage the store-day again.") from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise UnreadableFile(f"{path}: a folder is where the data file should be. Stage the store-day again.") from error
    with file:
        for line in read_lines(file, path, line_bytes_max, digest):
            rows += 1
            yield line
    if digest.hexdigest() != manifest.sha256 or rows != manifest.rows:
        raise UnreadableFile(
            f"{path}: the manifest states {manifest.rows} rows with SHA-256 {manifest.sha256[:16]}…, the file holds {rows} with {digest.hexdigest()[:16]}…. "
            "It was changed after it was staged; stage the store-day again."
        )


def load_manifest(storage: Storage, path: str) -> Manifest:
    """Read the manifest at a relative path of a storage root."""
    return read_manifest(storage.read(path), path)


def move(storage: Storage, manifest: Manifest, source: Stage, target: Stage) -> None:
    """Move a staged file to another stage: copy data, write the new manifest, remove the old manifest, remove the old data.

    Repeatable after any interruption: at every moment at least one stage holds the complete file.
    """
    if storage.exists(manifest.path(source)):
        if storage.is_file(manifest.data_path(source)):
            copy_data(storage, manifest, source, target)
        storage.write(manifest.path(target), manifest.to_json())
        storage.remove(manifest.path(source))
    if storage.is_file(manifest.data_path(source)):
        storage.remove(manifest.data_path(source))


def copy_data(storage: Storage, manifest: Manifest, source: Stage, target: Stage) -> None:
    """Copy a data file to another stage; readers ignore it until its manifest is written there."""
    path = manifest.data_path(target)
    with reaching(storage.full(path)), storage.open(manifest.data_path(source)) as old, storage.open(path, "wb") as new:
        while chunk := old.read(_CHUNK):
            new.write(chunk)


def remove(storage: Storage, manifest: Manifest, stage: Stage) -> None:
    """Remove a staged file, its manifest first."""
    storage.remove(manifest.path(stage))
    storage.remove(manifest.data_path(stage))

"""Raw responses: every page is landed unchanged before it is parsed, so a parser fix needs no new requests.

``landing/<retailer>/<store id, percent-encoded>/<night>--<run key>/<page>.gz`` holds one response: a JSON
header line (request without secrets, status, a few headers, times), then the unchanged body.
``begun.json`` in the same folder and the header of each page hold the start of this store-day; pages of
an earlier start are ignored. ``begun.json`` also has the ETags of the translation tables that the store-day is cleaned with.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self
from urllib.parse import quote, unquote

import msgspec

from include import clock
from include.errors import TerminalError
from include.model.store import StoreRef
from include.staging.storage import Stage, StagedName, Storage

_SUFFIX = ".gz"
_START_MARKER = "begun.json"


class UnreadableLanding(TerminalError):
    """A landed page is damaged."""


class PageResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One unchanged response of a site.

    ``params`` and ``json`` are the request's, without cookies and keys. ``headers`` is a subset, names in
    lower case. ``observed_at`` is the instant at which the body was complete: the instant of its offers.
    """

    method: str
    url: str
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    json: Any = None
    status: int
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    elapsed_seconds: float = 0.0
    observed_at: datetime
    body: bytes = b""


class _StartMarker(msgspec.Struct, frozen=True):
    started_at: datetime
    table_etags: dict[str, str] = {}


class _Header(PageResponse, frozen=True, kw_only=True):
    started_at: datetime


class Landing:
    """The landed pages of one store-day of one run."""

    def __init__(self, storage: Storage, folder: str, started_at: datetime, table_etags: Mapping[str, str]) -> None:
        """Use :meth:`resume` to crawl and :meth:`open_existing` to read again."""
        self._storage, self.folder, self.started_at, self.table_etags = storage, folder, started_at, table_etags

    @classmethod
    def resume(cls, storage: Storage, store: StoreRef, night: date, run_key: str, *, hours: float, table_etags: Mapping[str, str]) -> Self:
        """Resume an attempt of the same run, else start a new store-day at the real time.

        An attempt is resumed if it began less than ``hours`` ago and in the store's current price week.

        Args:
            table_etags: ETags of the translation tables, recorded when a store-day starts; a resumed one keeps those it began with.
        """
        now, folder = clock.now(), folder_of(store, night, run_key)
        begun = _start_marker(storage, folder)
        if begun is not None and _may_resume(begun.started_at, now, store.state, hours):
            return cls(storage, folder, begun.started_at, begun.table_etags)
        storage.write(f"{folder}/{_START_MARKER}", msgspec.json.encode(_StartMarker(now, dict(table_etags))))
        return cls(storage, folder, now, table_etags)

    @classmethod
    def open_existing(cls, storage: Storage, store: StoreRef, night: date, run_key: str) -> Self:
        """Open the landed pages of a past run, of any age.

        Raises:
            TerminalError: this run landed nothing for this store.
        """
        folder = folder_of(store, night, run_key)
        begun = _start_marker(storage, folder)
        if begun is None:
            raise TerminalError(
                f"{folder}: no landed pages. A landing folder is named by retailer, store, night and run; list the storage root for the existing ones."
            )
        return cls(storage, folder, begun.started_at, begun.table_etags)

    def put(self, page: str, response: PageResponse) -> None:
        """Land a response under a page name; a later response for the same page replaces it."""
        header = msgspec.structs.asdict(response) | {"started_at": self.started_at}
        body = header.pop("body")
        self._storage.write(self._path(page), gzip.compress(msgspec.json.encode(header) + b"\n" + body, compresslevel=3, mtime=0))

    def get(self, page: str) -> PageResponse | None:
        """Return the landed response of a page, ``None`` if this store-day has none.

        Raises:
            UnreadableLanding: the file is damaged.
        """
        try:
            content = self._storage.read(self._path(page))
        except FileNotFoundError:
            return None
        try:
            header, _, body = gzip.decompress(content).partition(b"\n")
            response = msgspec.convert(msgspec.json.decode(header) | {"body": body}, _Header)
        except (EOFError, OSError, zlib.error, TypeError, msgspec.DecodeError, msgspec.ValidationError) as error:
            raise UnreadableLanding(f"{self._path(page)}: not a landed page ({error}). Delete it; a crawl requests it again.") from error
        return response if response.started_at == self.started_at else None

    def pages(self) -> Iterator[str]:
        """Yield the names of all landed pages, sorted."""
        filesystem = self._storage.filesystem
        filesystem.invalidate_cache()
        names = (str(path).rsplit("/", 1)[1] for path in filesystem.ls(self._storage.full(self.folder), detail=False))
        yield from sorted(unquote(name.removesuffix(_SUFFIX)) for name in names if name.endswith(_SUFFIX))

    def _path(self, page: str) -> str:
        return f"{self.folder}/{quote(page, safe='')}{_SUFFIX}"


def folder_of(store: StoreRef, night: date, run_key: str) -> str:
    """Return the folder of one store-day; its parts are checked like those of a staged file.

    >>> folder_of(StoreRef("coles", "COL:401"), date(2026, 11, 18), "r1")
    'landing/coles/COL%3A401/2026-11-18--r1'
    """
    name = StagedName(store.retailer, store.store_id, night, run_key, "0" * 64)
    return f"{Stage.LANDING}/{name.folder}/{night.isoformat()}--{run_key}"


@dataclass(frozen=True, slots=True, order=True)
class LandedRun:
    """A store-day with landed pages."""

    store_id: str
    night: date
    run_key: str


def landed_runs(storage: Storage, retailer: str, store_id: str | None = None, night: date | None = None) -> Iterator[LandedRun]:
    """Yield every landed store-day of a retailer, of one store or one night if given; by store, oldest night first."""
    filesystem = storage.filesystem
    filesystem.invalidate_cache()

    def below(folder: str) -> list[str]:
        return sorted(str(path).rstrip("/") for path in filesystem.ls(folder, detail=False)) if filesystem.exists(folder) else []

    if store_id is None:
        stores = below(storage.full(f"{Stage.LANDING}/{retailer}"))
    else:
        stores = [storage.full(folder_of(StoreRef(retailer, store_id), date.min, "x").rsplit("/", 1)[0])]
    for store in stores:
        for run in below(store):
            on, _, run_key = run.rsplit("/", 1)[1].partition("--")
            if night is None or on == night.isoformat():
                yield LandedRun(unquote(store.rsplit("/", 1)[1]), date.fromisoformat(on), run_key)


def prune_landing(storage: Storage, retailers: Iterable[str], oldest: date) -> int:
    """Remove the landed pages of nights before ``oldest``; return the number of store-days removed. Safe to repeat."""
    removed = 0
    for retailer in retailers:
        for run in landed_runs(storage, retailer):
            if run.night < oldest:
                with suppress(FileNotFoundError):  # another process removed it first
                    storage.filesystem.rm(storage.full(folder_of(StoreRef(retailer, run.store_id), run.night, run.run_key)), recursive=True)
                    removed += 1
    return removed


def _start_marker(storage: Storage, folder: str) -> _StartMarker | None:
    try:
        return msgspec.json.decode(storage.read(f"{folder}/{_START_MARKER}"), type=_StartMarker)
    except (FileNotFoundError, msgspec.DecodeError):
        return None  # a truncated marker (killed write) counts as none: the store-day starts again


def _may_resume(started: datetime, now: datetime, state: str | None, hours: float) -> bool:
    age = now - started
    same_week = clock.price_week_start(started, state) == clock.price_week_start(now, state)
    return timedelta(0) <= age < timedelta(hours=hours) and same_week


def subset(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers worth keeping, names in lower case; never cookies.

    >>> subset({"Content-Type": "text/html", "Set-Cookie": "secret"})
    {'content-type': 'text/html'}
    """
    kept = ("content-type", "content-length", "date", "etag", "last-modified", "retry-after", "server", "location")
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: lower[name] for name in kept if name in lower}

"""Import of external store-days into the outbox: files of the staged layout, gzipped or plain.

A manifest beside the file is compared with the content. Without one, a first pass finds the store and the time of
observation; completeness is estimated later, in time order, from the rows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from include import clock
from include.errors import TerminalError
from include.ingestion.products import read_product, read_text
from include.ledger.files import find
from include.ledger.registering import FILE_ERRORS, refuse_import, register_staged
from include.model.instants import crawl_window, is_bare_date, metadata_instant, raw_instant
from include.model.offer import decode_metadata, split
from include.model.store import read_store_id
from include.retailer_names import RETAILERS
from include.staging.import_source import opened, read_small
from include.staging.manifest import Manifest, read_manifest
from include.staging.staged_file import UnreadableFile, pack, read_lines, stage_local
from include.staging.storage import DATA_SUFFIX, MANIFEST_SUFFIX, Stage, Storage, StorageUnavailable
from include.warehouse.engine import Warehouse
from include.wording.text import storable

#: Minimum share of a file's lines that must name one store; lines of other stores are then refused.
SINGLE_STORE_SHARE = 0.95
#: Longer lines are cut, as in loading, to limit memory.
LINE_BYTES_MAX = 1_000_000
#: Distinct metadata texts counted before they are decoded; a crawl writes one per page.
_PENDING_MAX = 4_096


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """Outcome of one path: ``waiting`` with its file id, already ``known``, or ``refused`` with the reason."""

    path: str
    outcome: str
    file_id: int | None = None
    retailer: str | None = None
    reason: str | None = None


#: Decides about a file whose content is known: its id, its manifest, and what puts it into the outbox; returns whether it waits again.
Again = Callable[[int, Manifest, Callable[[], None]], bool]


def import_file(warehouse: Warehouse, storage: Storage, path: Path, again: Again = lambda *_: False) -> ImportedFile:
    """Stage one file into the outbox and register it in the ledger. Equal content is registered once, unless ``again`` says otherwise.

    A file that cannot be staged is kept in the refused stage, with the reason in the ledger. One that cannot be opened is only reported.
    """
    with tempfile.TemporaryDirectory(prefix="aisleflow-") as folder:
        packed = Path(folder) / "store-day.jsonl.gz"
        try:
            try:
                manifest = _with_manifest(path, packed) if _manifest_path(path).is_file() else _without_manifest(path, packed)
            except FILE_ERRORS as error:
                refuse_import(warehouse, storage, path, str(error))
                return ImportedFile(str(path), "refused", reason=str(error))
        except (OSError, StorageUnavailable) as error:
            return ImportedFile(str(path), "refused", reason=f"{path} cannot be read, so nothing of it was kept: {error}")

        def put() -> None:
            stage_local(storage, Stage.OUTBOX, packed, manifest)

        with warehouse.transaction() as connection:
            known = find(connection, manifest)
        if known is not None:
            is_again = again(known, manifest, put)
            return ImportedFile(str(path), "waiting" if is_again else "known", known, manifest.retailer)
        put()
        file_id, reason = register_staged(warehouse, storage, manifest.path(Stage.OUTBOX))
        if reason is not None:
            return ImportedFile(str(path), "refused", reason=reason)
        return ImportedFile(str(path), "waiting" if file_id else "known", file_id, manifest.retailer)


def list_data_files(paths: Sequence[Path]) -> list[Path]:
    """Return the given data files; a folder is expanded to every ``*.jsonl`` and ``*.jsonl.gz`` below it.

    Raises:
        TerminalError: a path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.name.endswith((".jsonl", ".jsonl.gz")) and not file.is_dir())
        elif os.path.lexists(path):
            found.append(path)
        else:
            raise TerminalError(f"{path}: no such file. Give store-day files (*.jsonl, *.jsonl.gz) or folders that hold them.")
    return found


def _manifest_path(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".jsonl") + MANIFEST_SUFFIX)


def _with_manifest(path: Path, packed: Path) -> Manifest:
    manifest_path = _manifest_path(path)
    manifest = read_manifest(read_small(manifest_path), str(manifest_path))
    digest, rows = hashlib.sha256(), 0
    with opened(path) as file:
        for _ in read_lines(file, str(path), LINE_BYTES_MAX, digest):
            rows += 1
    if digest.hexdigest() != manifest.sha256 or rows != manifest.rows:
        raise UnreadableFile(
            f"{path}: its manifest states {manifest.rows} rows with SHA-256 {manifest.sha256[:16]}…, the file holds {rows} with {digest.hexdigest()[:16]}…. "
            f"The file or {manifest_path.name} was changed; export the store-day again, or remove the manifest to have its completeness estimated from its rows."
        )
    _write_gzip(path, packed)
    return manifest


def _write_gzip(path: Path, packed: Path) -> None:
    with opened(path) as source, packed.open("wb") as target:
        is_packed = source.read(2) == b"\x1f\x8b"
        source.seek(0)
        with nullcontext(target) if is_packed else pack(target) as out:
            shutil.copyfileobj(source, out)


def _without_manifest(path: Path, packed: Path) -> Manifest:
    digest, rows, found = hashlib.sha256(), 0, _FoundStores(clock.now())
    with opened(path) as file:
        for line in read_lines(file, str(path), LINE_BYTES_MAX, digest):
            rows += 1
            found.add(line.raw)
    found.finish()
    decoded, stores = found.lines, found.stores
    if rows == 0:
        raise UnreadableFile(f"{path}: the file is empty. A store-day has at least one line; crawl or export it again.")
    if not decoded:
        raise UnreadableFile(
            f"{path}: none of its {rows} lines is a JSON object with `product` and `metadata`. See docs/staged-files.md for the layout."
        )
    [(store, most_common_lines)] = stores.most_common(1)
    if most_common_lines < SINGLE_STORE_SHARE * decoded:
        named = ", ".join(
            f"{retailer} {store_id or 'without a store id'} ({lines} lines)" for (retailer, store_id), lines in stores.most_common(4)
        )
        raise UnreadableFile(
            f"{path}: lines of several stores in one file: {named}. A store-day is one store; split the file by `metadata.store_id`."
        )
    retailer, store_id = store
    if store_id is None:
        raise UnreadableFile(
            f"{path}: {most_common_lines} of its {rows} lines have no `metadata.store_id` (text or a whole number): their store is unknown. Add it to each line."
        )
    if retailer is None or retailer not in RETAILERS:
        raise UnreadableFile(
            f"{path}: `metadata.company` is {retailer!r}; known retailers: {', '.join(RETAILERS)}. Correct it in the file."
        )
    if store not in found.instants:
        raise UnreadableFile(
            f"{path}: no line has a time of observation (`scraped_at` or `scraped_date`), which decides the newest price. Add it to `metadata`."
        )
    name, state = found.names_and_states[store]
    sha256 = digest.hexdigest()
    earliest, latest = found.window(store)
    _write_gzip(path, packed)
    manifest = Manifest(
        retailer=retailer, store_id=store_id, store_name=name, state=state.upper() if state else None, night=clock.night_of(earliest),
        run_key=f"import-{sha256[:12]}", observed_at=earliest, last_observed_at=latest, rows=rows, sha256=sha256, data="", missing=dict(found.missing), source=storable(path.name),
    )  # fmt: skip
    manifest.data = manifest.name.stem + DATA_SUFFIX
    return read_manifest(manifest.to_json(), manifest.path(Stage.OUTBOX))  # checks what the lines said as it checks a given manifest


#: Retailer and store id in a line's metadata; ``None``: the line names none.
_Store = tuple[str | None, str | None]


class _FoundStores:
    """Counts of the stores, times and missing fields in a file's lines, in bounded memory.

    Most lines share their metadata, and stores share their products: both are counted as raw bytes and decoded once.
    """

    def __init__(self, now: datetime) -> None:
        self.lines = 0
        self.stores: Counter[_Store] = Counter()
        self.names_and_states: dict[_Store, tuple[str | None, str | None]] = {}
        self.instants: dict[_Store, Counter[tuple[datetime, bool]]] = {}
        self.missing: Counter[str] = Counter()
        self._now = now
        self._pending: Counter[tuple[bytes, str | None]] = Counter()
        self._pending_missing: Counter[tuple[str, ...]] = Counter()

    def add(self, raw: bytes) -> None:
        """Count one line; unreadable ones are skipped here, because ingestion refuses them with a reason."""
        try:
            raw_product, raw_metadata = split(raw)
            product = read_product(raw_product)
            key = raw_metadata, product.raw_time if isinstance(product.raw_time, str) else None
            if key not in self._pending:
                decode_metadata(raw_metadata)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        self.lines += 1
        self._pending[key] += 1
        self._pending_missing[product.missing] += 1
        if len(self._pending) >= _PENDING_MAX:
            self.finish()

    def window(self, store: _Store) -> tuple[datetime, datetime]:
        """Return the first and last instant of a store's crawl. A future time is not used: such lines are refused one by one."""
        instants = self.instants[store]
        return crawl_window({moment: lines for moment, lines in instants.items() if moment[0] <= self._now} or instants)

    def finish(self) -> None:
        """Decode the metadata counted since the last call, in the order of the lines."""
        for (raw_metadata, product_time), lines in self._pending.items():
            metadata = decode_metadata(raw_metadata)
            store = (metadata.company if isinstance(metadata.company, str) else None, read_store_id(metadata.store_id))
            self.stores[store] += lines
            self.names_and_states.setdefault(store, (read_text(metadata.store_name), read_text(metadata.state)))
            instant = metadata_instant(metadata, product_time)
            if instant is not None:
                is_date = is_bare_date(raw_instant(metadata, product_time) or "")
                self.instants.setdefault(store, Counter())[instant, is_date] += lines
        for names, lines in self._pending_missing.items():
            for name in names:
                self.missing[name] += lines
        self._pending.clear()
        self._pending_missing.clear()

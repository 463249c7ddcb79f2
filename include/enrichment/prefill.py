"""Prefill: writes known barcodes into waiting files and passes them on. Prices never wait for look-ups.

A line that has a barcode keeps it. Only a barcode that the retailer itself showed for the SKU, and that the catalogue accepts, is written, and only where the
line's text can be about the same good: a filled barcode counts as the retailer's own word later. Other SKUs are queued for look-up.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from include.enrichment.known_barcodes import KnownBarcode, find_known
from include.ledger.registering import refuse_unreadable_manifest
from include.staging import staged_file
from include.staging.manifest import Manifest
from include.staging.staged_file import MissingFile, UnreadableFile, open_staged, stage_local
from include.staging.storage import Stage, Storage, UnusableFile
from include.warehouse.engine import Warehouse
from include.wording.same_good import may_be_same_good
from include.wording.text import clean

log = logging.getLogger(__name__)


class _Line(msgspec.Struct):
    """A line whose raw values are kept; only the barcode is read and set."""

    product: dict[str, msgspec.Raw]
    metadata: msgspec.Raw


#: Prefill must not cut lines; ingestion refuses too long ones.
_WHOLE_LINE_BYTES = 1 << 28

_decoder = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class FileCounts:
    """Counts of one file by line: what became of those without a barcode of their own (``asked``)."""

    lines: int = 0
    with_barcode: int = 0
    asked: int = 0
    filled: int = 0
    without: int = 0
    contested: int = 0
    unknown: int = 0

    def __add__(self, other: FileCounts) -> FileCounts:
        mine, theirs = asdict(self), asdict(other)
        return FileCounts(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True, slots=True)
class Prefill:
    """The outcome of one prefill: counts by file (``store|night``), and the partition keys of the files passed on."""

    files: dict[str, FileCounts] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    @property
    def counts(self) -> FileCounts:
        """The sum over all files."""
        return sum(self.files.values(), FileCounts())


def prefill_waiting(warehouse: Warehouse, storage: Storage, retailer: str) -> Prefill:
    """Prefill every file of the barcode inbox and pass it on to the outbox. Safe to repeat and to kill.

    One query covers all SKUs of all waiting files. A file is removed from the inbox after it was written to the outbox.
    A damaged file is passed on as it is: ingestion refuses it with its reason, and the others do not wait for it.
    """
    manifests = list(_waiting_manifests(warehouse, storage, retailer))
    if not manifests:
        return Prefill()
    skus = {sku for manifest in manifests for sku in _skus_without(storage, manifest, warehouse.settings.line_bytes_max)}
    with warehouse.transaction() as connection:
        known = find_known(connection, retailer, skus, is_queued=True)
    files: dict[str, FileCounts] = {}
    for manifest in manifests:
        name = f"{manifest.store_id}|{manifest.night}"
        try:
            files[name] = files.get(name, FileCounts()) + move_to_outbox(storage, manifest, known)
        except MissingFile as error:
            log.warning("passed on by another run, or lost: %s", error)
        except UnreadableFile:
            staged_file.move(storage, manifest, Stage.BARCODE_INBOX, Stage.OUTBOX)
            files.setdefault(name, FileCounts())
    for name, counts in files.items():
        log.info("prefilled %s %s: %s", retailer, name, counts)
    return Prefill(files, tuple(sorted({f"{retailer}|{manifest.night}" for manifest in manifests})))


def preview_prefill(warehouse: Warehouse, retailer: str, path: Path) -> FileCounts:
    """Return the counts of a prefill of a store-day file, without writing."""

    def lines() -> Iterator[_Line | None]:
        with path.open("rb") as file:
            for raw in staged_file.read_lines(file, str(path), warehouse.settings.line_bytes_max):
                yield _decode_line(raw.raw)

    skus = {sku for line in lines() if line is not None and not _has_barcode(line) and (sku := _sku(line))}
    with warehouse.transaction() as connection:
        known = find_known(connection, retailer, skus)
    tally: Counter[str] = Counter(_outcome(line, known)[0] for line in lines())
    return _counts(tally)


def move_to_outbox(storage: Storage, manifest: Manifest, known: Mapping[str, KnownBarcode]) -> FileCounts:
    """Write one file with barcodes filled in into the outbox and remove it from the inbox."""
    tally: Counter[str] = Counter()
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix="aisleflow-") as folder:
        packed = Path(folder) / "store-day.jsonl.gz"
        with packed.open("wb") as target, gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=6, mtime=0) as out:
            for raw in open_staged(storage, manifest, Stage.BARCODE_INBOX, _WHOLE_LINE_BYTES):
                content, line = raw.raw, _decode_line(raw.raw)
                outcome, gtin = _outcome(line, known)
                tally[outcome] += 1
                if gtin is not None and line is not None:
                    line.product["barcode"] = msgspec.Raw(msgspec.json.encode(gtin))
                    content = msgspec.json.encode(line)
                out.write(content + b"\n")
                digest.update(content + b"\n")
        counts = _counts(tally)
        missing = {**manifest.missing, "barcode": counts.lines - counts.with_barcode - counts.filled}
        new_manifest = msgspec.structs.replace(manifest, sha256=digest.hexdigest(), rows=counts.lines, missing=missing)
        stage_local(storage, Stage.OUTBOX, packed, new_manifest)
    staged_file.remove(storage, manifest, Stage.BARCODE_INBOX)
    return counts


def _waiting_manifests(warehouse: Warehouse, storage: Storage, retailer: str) -> Iterator[Manifest]:
    for path in storage.manifests(Stage.BARCODE_INBOX, retailer):
        try:
            yield staged_file.load_manifest(storage, path)
        except UnusableFile as error:
            refuse_unreadable_manifest(warehouse, storage, path, str(error))
        except FileNotFoundError:
            log.info("%s was passed on by another run", path)


def _skus_without(storage: Storage, manifest: Manifest, line_bytes_max: int) -> Iterator[str]:
    with suppress(UnreadableFile):  # what can be read of it is queued
        for raw in open_staged(storage, manifest, Stage.BARCODE_INBOX, line_bytes_max):
            line = _decode_line(raw.raw)
            if line is not None and not _has_barcode(line) and (sku := _sku(line)):
                yield sku


def _decode_line(raw: bytes) -> _Line | None:
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # passed on unchanged: ingestion refuses it with its reason


def _has_barcode(line: _Line) -> bool:
    return bytes(line.product.get("barcode", b"null")) not in (b"null", b'""')


def _outcome(line: _Line | None, known: Mapping[str, KnownBarcode]) -> tuple[str, str | None]:
    """What becomes of a line, and the barcode to fill in. A proved one is left out where the number may have been given to another good."""
    if line is None:
        return "damaged", None
    if _has_barcode(line):
        return "with_barcode", None
    found = known.get(_sku(line) or "")
    if found is None:
        return "unknown", None
    if found.state != "proved":
        return ("without" if found.state == "none" else found.state), None
    name, brand, size = (_text(line, key) for key in ("name", "brand", "size"))
    if found.text is not None and name is not None and not may_be_same_good((name, brand, size), found.text):
        return "unknown", None
    return "filled", found.gtin


def _counts(tally: Counter[str]) -> FileCounts:
    given = {name: tally[name] for name in ("with_barcode", "filled", "without", "contested", "unknown")}
    asked = sum(given.values()) - given["with_barcode"]
    return FileCounts(lines=tally.total(), asked=asked, **given)


def _text(line: _Line, key: str) -> str | None:
    value: Any = msgspec.json.decode(line.product[key]) if key in line.product else None
    return clean(value) if isinstance(value, str) else None


def _sku(line: _Line) -> str | None:
    value: Any = msgspec.json.decode(line.product["sku"]) if "sku" in line.product else None
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else None

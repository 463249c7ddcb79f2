"""Prefill: writes known barcodes into waiting files and passes them on. Prices never wait for look-ups.

A line that has a barcode keeps it. Only a barcode that the retailer itself showed for the SKU, and that identifies its product, is written, and only where the
line's text can be about the same good: a filled barcode counts as the retailer's own word later. Other SKUs are queued for look-up.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from include import clock
from include.ledger.registering import refuse_unreadable_manifest
from include.staging import staged_file
from include.staging.manifest import Manifest
from include.staging.staged_file import MissingFile, UnreadableFile, open_staged, stage_local
from include.staging.storage import Stage, Storage, UnusableFile
from include.warehouse.engine import Connection, Warehouse
from include.wording.same_good import Text, may_be_same_good
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
class Proven:
    """A barcode of a SKU, and the text that it belongs to."""

    gtin: str
    text: Text


@dataclass(frozen=True, slots=True)
class PrefillCounts:
    """Counts of one prefill, and the partition keys of the files passed on."""

    files: int = 0
    lines: int = 0
    with_barcode: int = 0
    filled: int = 0
    queued: int = 0
    keys: tuple[str, ...] = ()


def prefill_waiting(warehouse: Warehouse, storage: Storage, retailer: str) -> PrefillCounts:
    """Prefill every file of the barcode inbox and pass it on to the outbox. Safe to repeat and to kill.

    One query covers all SKUs of all waiting files. A file is removed from the inbox after it was written to the outbox.
    A damaged file is passed on as it is: ingestion refuses it with its reason, and the others do not wait for it.
    """
    manifests = list(_waiting_manifests(warehouse, storage, retailer))
    if not manifests:
        return PrefillCounts()
    settings = warehouse.settings
    with warehouse.transaction() as connection:
        known, queued = _find_and_queue(
            connection, retailer, (sku for m in manifests for sku in _skus_without(storage, m, settings.line_bytes_max))
        )
    result = PrefillCounts(files=len(manifests), queued=queued)
    for manifest in manifests:
        try:
            lines, had, filled = move_to_outbox(storage, manifest, known)
        except MissingFile as error:
            log.warning("passed on by another run, or lost: %s", error)
            continue
        except UnreadableFile:
            staged_file.move(storage, manifest, Stage.BARCODE_INBOX, Stage.OUTBOX)
            continue
        result = PrefillCounts(result.files, result.lines + lines, result.with_barcode + had, result.filled + filled, queued)
    log.info("prefilled %s: %s", retailer, result)
    return PrefillCounts(**{**_fields(result), "keys": tuple(sorted({f"{retailer}|{manifest.night}" for manifest in manifests}))})


def preview_prefill(warehouse: Warehouse, retailer: str, path: Path) -> dict[str, int]:
    """Return the counts of a prefill of a store-day file, without writing: lines, with_barcode, filled, unknown."""
    lines = had = 0
    without: list[_Line] = []
    with path.open("rb") as file:
        for raw in staged_file.read_lines(file, str(path), warehouse.settings.line_bytes_max):
            lines += 1
            line = _decode_line(raw.raw)
            if line is None:
                continue
            if _has_barcode(line):
                had += 1
            elif _sku(line):
                without.append(line)
    with warehouse.transaction() as connection:
        known = _known(connection, retailer, (_sku(line) or "" for line in without))
    filled = sum(_proven(line, known) is not None for line in without)
    return {"lines": lines, "with_barcode": had, "filled": filled, "unknown": len(without) - filled}


def move_to_outbox(storage: Storage, manifest: Manifest, known: dict[str, Proven]) -> tuple[int, int, int]:
    """Write one file with barcodes filled in into the outbox and remove it from the inbox.

    Returns:
        Lines, lines that had a barcode, lines filled.
    """
    lines = had = filled = 0
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix="aisleflow-") as folder:
        packed = Path(folder) / "store-day.jsonl.gz"
        with packed.open("wb") as target, gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=6, mtime=0) as out:
            for raw in open_staged(storage, manifest, Stage.BARCODE_INBOX, _WHOLE_LINE_BYTES):
                lines += 1
                content, line = raw.raw, _decode_line(raw.raw)
                if line is not None and _has_barcode(line):
                    had += 1
                elif line is not None and (proven := _proven(line, known)):
                    line.product["barcode"] = msgspec.Raw(msgspec.json.encode(proven.gtin))
                    content = msgspec.json.encode(line)
                    filled += 1
                out.write(content + b"\n")
                digest.update(content + b"\n")
        missing = {**manifest.missing, "barcode": lines - had - filled}
        new_manifest = msgspec.structs.replace(manifest, sha256=digest.hexdigest(), rows=lines, missing=missing)
        stage_local(storage, Stage.OUTBOX, packed, new_manifest)
    staged_file.remove(storage, manifest, Stage.BARCODE_INBOX)
    return lines, had, filled


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


def _find_and_queue(connection: Connection, retailer: str, skus: Iterator[str]) -> tuple[dict[str, Proven], int]:
    known = _known(connection, retailer, skus)
    queued = connection.run("enrichment/queue_lookups", {"retailer": retailer, "now": clock.now()}).rowcount
    return known, queued


def _known(connection: Connection, retailer: str, skus: Iterator[str]) -> dict[str, Proven]:
    connection.execute("CREATE TEMPORARY TABLE candidate_sku (sku text) ON COMMIT DROP")
    with connection.cursor() as cursor, cursor.copy("COPY candidate_sku FROM STDIN") as copy:
        for sku in skus:
            copy.write_row((sku,))
    connection.run("enrichment/collect_skus_without_barcode")
    connection.execute("ANALYZE sku_without_barcode")
    rows = connection.run("enrichment/find_barcodes", {"retailer": retailer}).fetchall()
    return {row["sku"]: Proven(row["gtin"], (row["name"], row["brand"], row["size"])) for row in rows}


def _decode_line(raw: bytes) -> _Line | None:
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # passed on unchanged: ingestion refuses it with its reason


def _has_barcode(line: _Line) -> bool:
    return bytes(line.product.get("barcode", b"null")) not in (b"null", b'""')


def _proven(line: _Line, known: dict[str, Proven]) -> Proven | None:
    """The barcode of a line's SKU, unless the line is about another good: the number may have been reused."""
    proven = known.get(_sku(line) or "")
    name, brand, size = (_text(line, field) for field in ("name", "brand", "size"))
    return proven if proven is not None and (name is None or may_be_same_good((name, brand, size), proven.text)) else None


def _text(line: _Line, field: str) -> str | None:
    value: Any = msgspec.json.decode(line.product[field]) if field in line.product else None
    return clean(value) if isinstance(value, str) else None


def _sku(line: _Line) -> str | None:
    value: Any = msgspec.json.decode(line.product["sku"]) if "sku" in line.product else None
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else None


def _fields(result: PrefillCounts) -> dict[str, Any]:
    return {name: getattr(result, name) for name in PrefillCounts.__dataclass_fields__}

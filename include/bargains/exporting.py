"""Bargains as files for a web site: a JSON file per area and one Parquet file, in ``bargains/`` below the storage root.

``bargains/manifest.json`` is written last and names the files: **a file that it does not name does not exist**. A file's name holds the hash of
its content, so that a reader who has read an older manifest keeps getting the files it names: those of one publication before are kept.
The same bargains give the same files.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from include.bargains.reading import stream_area
from include.errors import TerminalError
from include.staging.storage import Storage
from include.warehouse.engine import Connection, Warehouse, lock

FOLDER = "bargains"
MANIFEST = f"{FOLDER}/manifest.json"
VERSION = 1
_BATCH_ROWS = 5_000


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a publication: its path below the storage root, ``area`` of a JSON file (``None``: Parquet, all areas), rows, SHA-256 of its bytes."""

    path: str
    area: str | None
    rows: int
    sha256: str


class BargainManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What ``bargains/manifest.json`` says: the publication, its files, and those of the publication before, which are still there."""

    version: int
    night: str
    published_at: datetime
    missing: list[dict[str, str]]
    files: list[ExportedFile]
    earlier: list[ExportedFile]


def read_manifest(storage: Storage) -> BargainManifest | None:
    """Return the manifest in force, ``None`` before the first export or if it is of another version or damaged."""
    try:
        manifest = msgspec.json.decode(storage.read(MANIFEST), type=BargainManifest)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return manifest if manifest.version == VERSION else None


def export_bargains(warehouse: Warehouse, storage: Storage) -> BargainManifest:
    """Write the files of the publication in force, then the manifest; remove files that neither it nor the publication before names. Safe to repeat.

    Raises:
        TerminalError: nothing was published yet.
        StorageUnavailable: the storage root cannot be written; what was exported before stays in force.
    """
    with warehouse.transaction() as connection:
        lock(connection, FOLDER)  # no publication and no other export meanwhile: all files are of one state
        run = connection.run("bargains/find_run", {"night": None}).fetchone()
        if run is None:
            raise TerminalError("no bargains are published yet: trigger the DAG publish_bargains, or run `aisleflow bargains --publish`.")
        areas = [row["area"] for row in connection.run("bargains/list_areas").fetchall()]
        with tempfile.TemporaryDirectory(prefix="aisleflow-") as folder:
            local = Path(folder) / "export"
            files = [_put(storage, local, area, _write_json(local, stream_area(connection, area))) for area in areas]
            files.append(_put(storage, local, None, _write_parquet(local, connection, areas)))
        before = read_manifest(storage)
        if before is not None and before.files == files and before.published_at == run["published_at"]:
            return before
        manifest = BargainManifest(
            version=VERSION, night=run["night"].isoformat(), published_at=run["published_at"], missing=run["missing"], files=files,
            earlier=[one for one in (before.files if before else []) if one not in files],
        )  # fmt: skip
        storage.write(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        named = {one.path for one in (*manifest.files, *manifest.earlier)} | {MANIFEST}
        for path in storage.files(FOLDER):
            if path not in named:
                storage.remove(path)
    return manifest


def _put(storage: Storage, local: Path, area: str | None, rows: int) -> ExportedFile:
    with local.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    path = f"{FOLDER}/{area}--{digest[:16]}.json" if area else f"{FOLDER}/bargains--{digest[:16]}.parquet"
    storage.put(str(local), path)
    return ExportedFile(path=path, area=area, rows=rows, sha256=digest)


def _write_json(local: Path, rows: Iterator[dict[str, Any]]) -> int:
    """Write a JSON array, an object a line; unit prices and shares are numbers, instants text in UTC."""
    count = 0
    with local.open("wb") as file:
        file.write(b"[")
        for row in rows:
            plain = {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
            file.write((b",\n" if count else b"\n") + msgspec.json.encode(plain))
            count += 1
        file.write(b"\n]\n")
    return count


def _write_parquet(local: Path, connection: Connection, areas: list[str]) -> int:
    import pyarrow
    from pyarrow import parquet

    schema = arrow_schema()
    count = 0
    with parquet.ParquetWriter(str(local), schema, compression="zstd") as writer:
        for area in areas:
            batch: list[dict[str, Any]] = []
            for row in stream_area(connection, area):
                batch.append(row)
                if len(batch) == _BATCH_ROWS:
                    writer.write_table(pyarrow.Table.from_pylist(batch, schema))
                    count, batch = count + len(batch), []
            if batch:
                writer.write_table(pyarrow.Table.from_pylist(batch, schema))
                count += len(batch)
    return count


def arrow_schema() -> Any:
    """Return the columns of the Parquet file: those of ``core.bargain``, and name, brand, size and picture of the product."""
    import pyarrow

    text, whole, money = pyarrow.string(), pyarrow.int32(), pyarrow.decimal128(12, 4)
    side = {
        "retailer": text, "store_id": text, "sku": text, "price_cents": whole, "price_basis": text, "unit_price": money, "unit_of_measure": text, "multi_buy_quantity": whole,
        "multi_buy_cents": whole, "is_on_special": pyarrow.bool_(), "source": text, "observed_at": pyarrow.timestamp("us", tz="UTC"), "stores": whole,
    }  # fmt: skip
    columns = {
        "product_id": pyarrow.int64(),
        "area": text,
        "compared_by": text,
        "lowest": money,
        "highest": money,
        "saving_share": pyarrow.decimal128(5, 4),
        "stores": whole,
    }
    columns |= {f"{name}_{column}": kind for name in ("cheapest", "dearest") for column, kind in side.items()}
    return pyarrow.schema([*columns.items(), *((name, text) for name in ("name", "brand", "size", "image_url"))])

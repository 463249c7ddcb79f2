"""The same verbs through the product: staged files, the pipeline, decisions, retraction, on a real warehouse."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from include import clock
from include.errors import TransientError
from include.ingestion import pipeline
from include.ingestion.bring_back import bring_back
from include.ingestion.retract import retract
from include.ledger.decisions import decide_files
from include.ledger.registering import register_waiting
from include.staging.storage import MANIFEST_SUFFIX, Stage, Storage
from include.warehouse.engine import Warehouse
from tests.ingestion.store_days import Line, StoreDays, content, gtin, offer
from tests.reference.store_day import CENTS, WAS_CENTS, StoreDay, name_of

#: SKUs with a barcode: 1 and 2 are one product, and 3 is the same product at every retailer.
BARCODES = {"1": gtin(1), "2": gtin(1), "3": gtin(3)}
DECISION = ("Ada", "as the history has it")


@dataclass
class Product:
    """One warehouse with its storage root, both emptied for each history."""

    warehouse: Warehouse
    folder: Path
    empty: Callable[[], None]
    _files: int = 0

    @property
    def storage(self) -> Storage:
        """The storage root."""
        return Storage(f"file://{self.folder}")

    def begin(self) -> None:
        """Empty everything for the next history."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.empty()

    def set_clock(self, now: datetime) -> None:
        """Stop the clock at an instant."""
        os.environ["AISLEFLOW_NOW"] = now.isoformat()

    def stage(self, day: StoreDay) -> None:
        """Put one store-day into the outbox."""
        lines = lines_of(day)
        manifest = StoreDays(self.storage)(
            day.retailer, day.store_id, at=day.at.isoformat(), lines=lines, complete=day.is_complete, run_key=day.run,
            night=clock.night_of(day.starts_at), observed_at=day.at, last_observed_at=day.last_at,
        )  # fmt: skip
        self._files += 1  # of one run the file written last counts; these are written faster than the clock of files ticks
        written_at = clock.system_now().timestamp() - 60 + 0.01 * self._files
        os.utime(self.folder / manifest.path(Stage.OUTBOX), (written_at, written_at))

    def ingest(self, retailer: str) -> None:
        """Take everything that waits."""
        pipeline.ingest(self.warehouse, self.storage, retailer, lambda _: None)

    def release(self, file_id: int, retailer: str) -> None:
        """Release a held store-day and publish it, as the command line does."""
        decide_files(self.warehouse, self.storage, [file_id], "release", *DECISION, "command line")
        self.ingest(retailer)

    def discard(self, file_id: int) -> None:
        """Discard a held store-day."""
        decide_files(self.warehouse, self.storage, [file_id], "discard", *DECISION, "command line")

    def retract(self, file_id: int, retailer: str, store_id: str) -> None:
        """Retract a published store-day."""
        retract(self.warehouse, self.storage, retailer, store_id, file_id, *DECISION)

    def bring_back(self, file_id: int, retailer: str) -> None:
        """Bring a discarded or retracted store-day back and publish it, as the command line does."""
        bring_back(self.warehouse, self.storage, file_id, *DECISION)
        self.ingest(retailer)

    def damage(self, retailer: str, store_id: str, number: int) -> None:
        """Put a file into the outbox whose manifest cannot be read. It sorts before all others of its store."""
        self.storage.write(
            f"{Stage.OUTBOX}/{retailer}/{quote(store_id)}/2026-01-01--damaged{number}--0{MANIFEST_SUFFIX}", f"{{{number}".encode()
        )

    def ingest_while_storage_is_away(self, retailer: str) -> None:
        """Register what waits, then try to ingest while the storage root is not there; it comes back afterwards."""
        register_waiting(self.warehouse, self.storage, retailer)
        away = self.folder.with_name("away")
        self.folder.rename(away)
        try:
            with suppress(TransientError):  # or it sees nothing to do; what counts is that nothing is decided
                self.ingest(retailer)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            away.rename(self.folder)

    def rows(self, text: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        with self.warehouse.transaction() as connection:
            return connection.execute(text).fetchall()


def lines_of(day: StoreDay) -> list[Line]:
    """Return the lines of a staged file."""
    lines: list[Line] = []
    for sku, kind in day.kinds.items():
        made = _line(day, sku, kind, CENTS.get(kind, 100))
        if kind == "~":
            lines.append(b'{"product": {"sku": "' + sku.encode())
        elif kind == "!":
            lines.append(_line(day, sku, kind, -100))
        elif kind == "=":
            lines += [made, made]
        elif kind == "t":
            lines += [_line(day, sku, kind, "n/a"), made]
        elif kind == "x":
            lines += [made, _line(day, sku, kind, 125)]
        elif kind != "-":
            lines.append(made)
    return lines


def _line(day: StoreDay, sku: str, kind: str, cents: int | str | None) -> Line:
    more: dict[str, Any] = {"price_was": WAS_CENTS / 100, "is_on_special": True} if kind == "s" else {}
    price = cents / 100 if isinstance(cents, int) else cents
    return offer(
        sku, price, name=name_of(sku, kind), barcode=BARCODES.get(sku), metadata={"scraped_at": day.line_at(sku).isoformat()}, **more
    )


def content_hash(day: StoreDay) -> str:
    """Return the hash by which the ledger knows the file."""
    return hashlib.sha256(content(lines_of(day), day.retailer, day.store_id, "VIC", day.at.isoformat())).hexdigest()

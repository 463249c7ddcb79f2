"""Store-days for tests: give the fields of interest, the others get defaults."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from include.clock import night_of
from include.model.instants import crawl_window, is_bare_date, read_instant
from include.staging.manifest import Categories, Manifest
from include.staging.staged_file import stage_local
from include.staging.storage import Stage, Storage

TUESDAY = "2026-11-17T04:30:00+11:00"
WEDNESDAY = "2026-11-18T04:30:00+11:00"

#: One store of each retailer.
STORE_IDS = {"aldi": "G1", "coles": "COL:1", "iga": "1", "woolworths": "1"}

#: A line: a dictionary with ``product`` and ``metadata``, or the bytes themselves for a damaged one.
Line = dict[str, Any] | bytes


def offer(
    sku: Any = "1", price: Any = 1.0, *, without: Sequence[str] = (), metadata: dict[str, Any] | None = None, **product: Any
) -> dict[str, Any]:
    """Make one line. ``price=None`` is unavailable; ``without=["price_current"]`` leaves keys out; ``metadata`` overrides.

    >>> offer(sku="7", price=2.5, brand="Zorbo")["product"]["brand"]
    'Zorbo'
    """
    line = {
        "sku": sku,
        "name": f"Thing {sku}",
        "brand": None,
        "size": None,
        "barcode": None,
        "category_path": ["Pantry"],
        "price_current": price,
        "price_was": None,
    }
    line |= {"is_on_special": False, "is_available": True, "per_unit_price_string": None} | product
    return {"product": {key: value for key, value in line.items() if key not in without}, "metadata": metadata or {}}


def offers(count: int, price: float = 1.0, start: int = 1, **product: Any) -> list[Line]:
    """Make ``count`` plain lines with SKUs from ``start``."""
    return [offer(sku=str(number), price=price, **product) for number in range(start, start + count)]


def gtin(number: int) -> str:
    """Return a valid GTIN-13 made from a number.

    >>> gtin(1)
    '9300000000019'
    """
    digits = f"93{number:010d}"
    return digits + str(-sum(int(d) * (3 if position % 2 else 1) for position, d in enumerate(digits)) % 10)


def content(lines: Sequence[Line], retailer: str, store_id: str, state: str | None, at: str | None) -> bytes:
    """Return the bytes of a file; ``at`` is each line's ``scraped_at`` unless the line has its own."""
    metadata = {"company": retailer, "store_id": store_id, "store_name": f"{retailer} {store_id}", "state": state, "scraped_at": at}
    made = [
        line if isinstance(line, bytes) else json.dumps({**line, "metadata": metadata | line["metadata"]}, ensure_ascii=False).encode()
        for line in lines
    ]
    return b"".join(line + b"\n" for line in made)


def window(lines: Sequence[Line], at: str, state: str | None) -> tuple[datetime, datetime]:
    """Return the first and last instant of a file's crawl as the manifest has them; ``at`` where no line has a time."""
    instants = Counter[tuple[datetime, bool]]()
    for line in lines:
        text = at if isinstance(line, bytes) else line["metadata"].get("scraped_at", at)
        if (
            isinstance(text, str) and (instant := read_instant(text, state)) and instant.year >= 1990
        ):  # a manifest of the year 26 is refused
            instants[instant, is_bare_date(text)] += 1
    own = datetime.fromisoformat(at).astimezone(UTC)
    return crawl_window(instants or {(own, False): 1})


def overlapping(n: int) -> list[tuple[str, list[Line], bool]]:
    """Return three crawls of one store that overlap in time, in their order of arrival: instant, n lines, completeness.

    The second sees other prices before the end of the first. The third arrives late, with lines older than the second, which does not list them.
    """

    def lines(prefix: str, price: float, *minutes: int) -> list[Line]:
        at = [datetime(2026, 11, 17, 17, minute, tzinfo=UTC).isoformat() for minute in minutes]
        return [offer(f"{prefix}{number}", price, metadata={"scraped_at": at[number % len(at)]}) for number in range(n)]

    at = "2026-11-17T17:{:02d}:00+00:00"
    return [
        (at.format(0), lines("S", 1.0, 0, 50), True),
        (at.format(30), lines("S", 2.0, 30, 45), True),
        (at.format(20), [*lines("N", 3.0, 20), *lines("M", 3.0, 35)], False),
    ]


class StoreDays:
    """Stages store-days into one storage root."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def __call__(
        self, retailer: str = "aldi", store_id: str | None = None, at: str = WEDNESDAY, lines: Sequence[Line] = (), *, complete: bool | None = True,
        state: str | None = "VIC", night: date | None = None, run_key: str | None = None, stage: Stage = Stage.OUTBOX, **manifest: Any,
    ) -> Manifest:  # fmt: skip
        """Stage one store-day and return its manifest. ``complete=None`` leaves completeness to be estimated from the rows."""
        store_id = store_id or STORE_IDS[retailer]
        data = content(lines, retailer, store_id, state, at)
        first_at, last_at = window(lines, at, state)
        sha256 = hashlib.sha256(data).hexdigest()
        fields: dict[str, Any] = {
            "retailer": retailer, "store_id": store_id, "store_name": f"{retailer} {store_id}", "state": state, "night": night or night_of(datetime.fromisoformat(at)),
            "run_key": run_key or f"run-{sha256[:8]}", "observed_at": first_at, "last_observed_at": last_at, "rows": len(lines),
            "sha256": sha256, "data": "", "complete": complete, "categories": Categories(),
        }  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "store-day.jsonl.gz"
            local.write_bytes(gzip.compress(data, mtime=0))
            return stage_local(self.storage, stage, local, Manifest(**fields | manifest))

    def file(
        self,
        path: Path,
        lines: Sequence[Line],
        retailer: str = "aldi",
        store_id: str = "G1",
        at: str | None = WEDNESDAY,
        state: str | None = "VIC",
    ) -> Path:
        """Write a file to import, packed where the name ends in ``.gz``, without a manifest."""
        data = content(lines, retailer, store_id, state, at)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
        return path

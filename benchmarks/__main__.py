"""``make bench``: the way from waiting file to published price against a yardstick.

Yardstick = gunzip, parse and bare ``COPY`` of the staged columns into an index-free unlogged table. Measured: a first
load, an unchanged night and a Wednesday on which a third of the prices changed, checks included, Great Expectations apart.

    make bench ARGS="--store-days 20 --offers 5000"
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from include import flows
from include.cli.common import print_table, progress
from include.config import settings
from include.embedded.postgres import ensure_postgres, stop_postgres
from include.ingestion.load import COLUMNS, LineReader
from include.quality import suite
from include.staging.manifest import Manifest
from include.staging.offer import Offer, StoreRef
from include.staging.staged_file import StoreDayWriter, open_staged
from include.staging.storage import Stage, Storage
from include.warehouse.engine import Warehouse
from include.warehouse.migrations import migrate

FIRST_NIGHT = date(2026, 11, 15)
_ABOUT = "x" * 700  # real lines have about 1.2 kB


def main(
    store_days: Annotated[int, typer.Option(min=1, help="Store-days a night.")] = 10,
    offers: Annotated[int, typer.Option(min=10, help="Offers a store-day.")] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure ingestion against the yardstick."""
    folder = Path(tempfile.mkdtemp(prefix="aisleflow-bench-"))
    try:
        with progress() as told:
            url = ensure_postgres(folder / "home").url("warehouse")
            migrate(url)
            rows = _measure(Warehouse(url, settings()), Storage(f"file://{folder / 'storage'}"), store_days, offers, told)
    finally:
        stop_postgres(folder / "home")
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        print_table(
            rows, ("what", "seconds", "ratio_to_yardstick", "load", "check", "of_it_great_expectations", "resolve", "publish", "wal_mib")
        )


def _measure(warehouse: Warehouse, storage: Storage, store_days: int, offers: int, told: Callable[[str], None]) -> list[dict[str, object]]:
    told("writing the first night")
    manifests = _write_night(storage, 0, store_days, offers)
    told("yardstick")
    yardstick = _yardstick(warehouse, storage, manifests)
    rows: list[dict[str, object]] = [{"what": "yardstick", "seconds": round(yardstick, 2), "ratio_to_yardstick": 1.0}]
    for number, what in enumerate(("first load", "unchanged night", "Wednesday, a third changed")):
        if number:
            told(f"writing: {what}")
            _write_night(storage, number, store_days, offers)
        told(f"measuring: {what}")
        rows.append({"what": what} | _ingest(warehouse, storage, yardstick))
    return rows


def _write_night(storage: Storage, number: int, store_days: int, offers: int) -> list[Manifest]:
    at = datetime(2026, 11, 14, 18, tzinfo=UTC) + timedelta(days=number)
    made = []
    for place in range(store_days):
        store = StoreRef("woolworths", f"{9000 + place}", f"Store {place}", "VIC")
        with StoreDayWriter(storage, Stage.OUTBOX, store, FIRST_NIGHT + timedelta(days=number), f"bench{number}") as writer:
            for n in range(offers):
                cents = 100 + n % 4_000 + (10 if number == 2 and n % 3 == 0 else 0)
                writer.write(
                    Offer(
                        sku=str(n), name=f"Benchword{n % 977} Thing {n}", brand=f"Brand{n % 331}", size=f"{50 + n % 900}g", observed_at=at,
                        price_current=Decimal(cents) / 100, category_path=(f"Aisle {n % 17}", f"Shelf {n % 90}"), description=_ABOUT,
                        url=f"https://shop.example/{n}", per_unit_price_string=f"${Decimal(cents) / 50} per 1kg",
                    )
                )  # fmt: skip
            made.append(writer.publish(complete=True))
    return made


def _yardstick(warehouse: Warehouse, storage: Storage, manifests: list[Manifest]) -> float:
    with warehouse.transaction() as connection:
        connection.execute("CREATE UNLOGGED TABLE staging.yardstick (LIKE staging.offer INCLUDING DEFAULTS)")
    begun = time.perf_counter()
    for manifest in manifests:
        read = LineReader(0, manifest, datetime(2026, 12, 1, tzinfo=UTC))
        with (
            warehouse.transaction() as connection,
            connection.cursor() as cursor,
            cursor.copy(f"COPY staging.yardstick ({', '.join(COLUMNS)}) FROM STDIN") as copy,
        ):
            for line in open_staged(storage, manifest, Stage.OUTBOX, 1_000_000):
                copy.write_row(read(line))
    took = time.perf_counter() - begun
    with warehouse.transaction() as connection:
        connection.execute("DROP TABLE staging.yardstick")
    return took


def _ingest(warehouse: Warehouse, storage: Storage, yardstick: float) -> dict[str, object]:
    seconds: dict[str, float] = {}
    before = _wal_position(warehouse)
    expectations = [0.0]
    count_broken = suite.count_broken

    def timed(*values: object) -> dict[str, int]:
        begun = time.perf_counter()
        try:
            return count_broken(*values)  # type: ignore[arg-type]
        finally:
            expectations[0] += time.perf_counter() - begun

    suite.count_broken = timed  # type: ignore[assignment]
    try:
        for step in (flows.load, flows.check, flows.resolve, flows.publish):
            begun = time.perf_counter()
            step(warehouse, storage, "woolworths")
            seconds[step.__name__] = round(time.perf_counter() - begun, 2)
    finally:
        suite.count_broken = count_broken
    whole = sum(seconds.values())
    return {
        "seconds": round(whole, 2), "ratio_to_yardstick": round(whole / yardstick, 2), **seconds,
        "of_it_great_expectations": round(expectations[0], 2), "wal_mib": round((_wal_position(warehouse) - before) / 2**20, 1),
    }  # fmt: skip


def _wal_position(warehouse: Warehouse) -> int:
    with warehouse.transaction() as connection:
        row = connection.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS bytes").fetchone()
    assert row is not None
    return int(row["bytes"])


if __name__ == "__main__":
    typer.run(main)

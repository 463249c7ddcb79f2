"""Publishing: prices, quarantine and ledger in one transaction per store-day, under the store's lock. The file is moved afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

from include import clock
from include.config import Settings
from include.ingestion import replay
from include.ingestion.load import raw_lines, set_aside_unreachable
from include.ingestion.store_prices import publish_prices, restage
from include.ingestion.workers import run_parallel, workers_for
from include.ledger.files import LedgerEntry, entry, loaded_files, lock_store
from include.ledger.quarantine import keep_raw_texts, quarantine_lines
from include.ledger.settling import close, move_to_final_stage, refuse
from include.staging.staged_file import MissingFile, UnreadableFile
from include.staging.storage import Stage, Storage, StorageUnavailable
from include.warehouse.engine import Connection, Warehouse
from include.warehouse.price_changes import announce_price_change

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublishCounts:
    """Counts of one or several store-days. Lines = created + updated + unchanged + unavailable + outdated + folded + quarantined."""

    store_days: int = 0
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    unavailable: int = 0
    outdated: int = 0
    delisted: int = 0
    folded: int = 0
    quarantined: int = 0

    def __add__(self, other: PublishCounts) -> PublishCounts:
        mine, theirs = asdict(self), asdict(other)
        return PublishCounts(**{name: mine[name] + theirs[name] for name in mine})


def publish_checked(warehouse: Warehouse, storage: Storage, retailer: str, progress: Callable[[str], None] = log.info) -> PublishCounts:
    """Publish every checked, not held store-day of a retailer: stores in parallel, the store-days of one store oldest first.

    Each store-day is one transaction: a kill only rolls back those in progress.
    """
    with warehouse.transaction() as connection:
        rows = loaded_files(connection, retailer, is_checked=True)
    stores: dict[str, list[int]] = {}
    for row in rows:
        stores.setdefault(row["store_id"], []).append(int(row["file_id"]))
    done, total, progress_lock = 0, PublishCounts(), Lock()

    def publish_store(file_ids: list[int]) -> None:
        nonlocal done, total
        for file_id in file_ids:
            counts = publish_file(warehouse, storage, file_id)
            if counts is None and _is_pending(warehouse, file_id):
                return  # the newer store-days wait for it: published before it they would supersede it
            with progress_lock:
                done, total = done + 1, total + (counts or PublishCounts())
                progress(f"published {done} of {len(rows)} store-days of {retailer}")

    # the server does the work and a thread only waits for it: threads are enough here
    run_parallel(stores.values(), [publish_store] * workers_for(warehouse))
    return total


def publish_file(warehouse: Warehouse, storage: Storage, file_id: int) -> PublishCounts | None:
    """Publish one checked store-day; ``None`` if another run published it first, or an earlier step must be repeated. Safe to repeat.

    A file that was changed since it was loaded is refused; the others are published.
    """
    try:
        with warehouse.transaction() as connection:
            announce_price_change(connection)
            lock_store(connection, file_id)
            file = entry(connection, file_id)
            counts = (
                _publish(connection, storage, file, warehouse.settings)
                if file.state == "loaded" and _is_ready(connection, file_id)
                else None
            )
    except (MissingFile, StorageUnavailable) as error:
        set_aside_unreachable(warehouse, storage, file_id, error)
        return None
    except UnreadableFile as error:
        refuse(warehouse, storage, file_id, str(error))
        return None
    if counts is not None:
        move_to_final_stage(warehouse, storage, file.manifest)
    return counts


def _is_pending(warehouse: Warehouse, file_id: int) -> bool:
    with warehouse.transaction() as connection:
        return entry(connection, file_id).state == "loaded"


def _is_ready(connection: Connection, file_id: int) -> bool:
    # since the files were listed the server may have crashed, or another run may have loaded the file and not resolved it yet
    row = connection.run("publishing/is_ready", {"file_id": file_id}).fetchone()
    if row is None or not row["is_ready"]:
        log.warning("file %s is not ready to be published: it is loaded, checked or resolved again by the next run", file_id)
        return False
    return True


def _publish(connection: Connection, storage: Storage, file: LedgerEntry, settings: Settings) -> PublishCounts:
    manifest, line_bytes_max = file.manifest, settings.line_bytes_max
    values: dict[str, Any] = {
        "file_id": file.file_id, "retailer": manifest.retailer, "store_id": manifest.store_id, "name": manifest.store_name, "state": manifest.state,
        "online_store_id": manifest.online_store_id, "now": clock.now(),
    }  # fmt: skip
    connection.run("publishing/ensure_store", values)
    store = connection.execute(
        "SELECT store_key, complete_at FROM core.store WHERE retailer = %(retailer)s AND store_id = %(store_id)s", values
    ).fetchone()
    assert store is not None
    late = connection.run("publishing/is_late", values).fetchone()
    is_late = late is not None and bool(late["is_late"])
    with replay.corrections(connection, storage, file, store["store_key"], values["now"], settings) if is_late else nullcontext():
        prices = publish_prices(
            connection, file, store["store_key"], values["now"], lambda before: restage(connection, storage, before, line_bytes_max)
        )
        outcome: dict[str, Any] = {"state": "published", "state_reason": None}
        if prices is None:
            prices = dict(connection.run("publishing/count_outdated", values).fetchone() or {}) | {"delisted": 0}
            outcome = {
                "state": "superseded",
                "state_reason": f"older than the store's last complete store-day of {store['complete_at']:%Y-%m-%d %H:%M} UTC: products and aliases are published, prices are not",
            }
        _quarantine(connection, storage, file, values, line_bytes_max)
        closed = close(connection, values | prices | outcome)
    published = PublishCounts(
        store_days=1, rows=closed["rows"], created=prices["created"], updated=prices["updated"], unchanged=prices["unchanged"], unavailable=prices["unavailable"],
        outdated=prices["outdated"], delisted=prices["delisted"], folded=closed["folded"], quarantined=closed["quarantined"],
    )  # fmt: skip
    log.info("published %s %s of %s: %s", manifest.retailer, manifest.store_id, manifest.night, published)
    return published


def _quarantine(connection: Connection, storage: Storage, file: LedgerEntry, values: dict[str, Any], line_bytes_max: int) -> None:
    if wanted := quarantine_lines(connection, file.file_id, values["now"]):
        keep_raw_texts(connection, file.file_id, dict(raw_lines(storage, file.manifest, Stage.OUTBOX, wanted, line_bytes_max)))

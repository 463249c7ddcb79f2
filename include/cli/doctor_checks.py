"""What ``aisleflow doctor`` checks beyond the services: staged files that wait too long, data that waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from include.config import settings
from include.embedded.doctor import Finding
from include.embedded.postgres import running_postgres
from include.ingestion.sweeping import waiting_files
from include.quality.quarantine import list_undecided
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def waiting_data(home: Path) -> Sequence[Finding]:
    """Return a finding for files that wait in the outbox and one for held store-days; starts nothing."""
    cluster = running_postgres(home)
    url = settings().warehouse_url or (cluster and cluster.url("warehouse"))
    if not url:
        return []  # the check of the warehouse has said so
    warehouse = Warehouse(url, settings())
    try:
        waiting = waiting_files(warehouse, Storage(settings().storage))
        held = list_undecided(warehouse)
    finally:
        warehouse.close()
    files = sum(len(names) for names in waiting.values())
    return [
        Finding(
            "warn",
            "outbox",
            f"{files} store-day(s) wait longer than they should: {', '.join(sorted(waiting))}",
            "is ingest_prices paused or red? sweep_outbox announces them every 15 minutes",
        )
        if files
        else Finding("ok", "outbox", "nothing waits too long"),
        Finding("warn", "quarantine", f"{len(held)} file(s) held or refused", "aisleflow quarantine list, then release or discard")
        if held
        else Finding("ok", "quarantine", "no file is held or refused"),
    ]

"""Checks of ``aisleflow doctor`` beyond the services: overdue staged files, held data, alerts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from include.alerts import inbox
from include.config import settings
from include.embedded import ports
from include.embedded.airflow_env import ALERTS_CONNECTION, INBOX
from include.embedded.doctor import Check, Finding
from include.embedded.postgres import running_postgres
from include.ingestion.sweep import waiting_files
from include.ledger.quarantine import list_undecided
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def waiting_data(home: Path) -> Sequence[Finding]:
    """Return a finding for files that wait in the outbox and one for held store-days; starts nothing."""
    cluster = running_postgres(home)
    url = settings().warehouse_url or (cluster and cluster.url("warehouse"))
    if not url:
        return []  # reported by the check of the warehouse
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
            f"{files} store-day(s) are overdue: {', '.join(sorted(waiting))}",
            "is ingest_prices paused or failed? sweep_outbox announces them every 15 minutes",
        )
        if files
        else Finding("ok", "outbox", "no file is overdue"),
        Finding("warn", "quarantine", f"{len(held)} file(s) held or refused", "aisleflow quarantine list, then release or discard")
        if held
        else Finding("ok", "quarantine", "no file is held or refused"),
    ]


def alerts(home: Path) -> Sequence[Finding]:
    """Return a finding with the destination of alerts; none is a warning."""
    given = os.environ.get(f"AIRFLOW_CONN_{ALERTS_CONNECTION.upper()}")
    if given and given != INBOX:
        return [Finding("ok", "alerts", f"go to the address of the connection {ALERTS_CONNECTION} of this environment")]
    if ports.known(home) is None and not given:
        return [
            Finding(
                "warn", "alerts", f"are not delivered: this environment has no connection {ALERTS_CONNECTION}",
                f"set AIRFLOW_CONN_{ALERTS_CONNECTION.upper()} (docs/operating.md, Alerts), unless it is stored in Airflow",
            )
        ]  # fmt: skip
    found = inbox.read(home, 1)
    newest = f", the newest of {found[0]['at'][:16]}: {found[0]['title']}" if found else ", which is empty"
    return [Finding("ok", "alerts", f"go to the local inbox{newest}")]


#: Checks of ``doctor`` beyond the services.
EXTRA_CHECKS: list[Check] = [waiting_data, alerts]

"""Checks of ``aisleflow doctor`` beyond the services: overdue staged files, held data, alerts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from include.alerts import inbox
from include.alerts.address import INBOX_URL, read_address
from include.alerts.delivery import display
from include.config import settings
from include.embedded.airflow_env import ALERTS_VARIABLE
from include.embedded.doctor import Check, Finding
from include.embedded.postgres import running_postgres
from include.errors import ConfigurationError
from include.ingestion.sweep import overdue_in_inbox, waiting_files
from include.ledger.quarantine import list_undecided
from include.ledger.registering import list_unregistered
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
        storage = Storage(settings().storage)
        waiting, inbox_paths = waiting_files(warehouse, storage), overdue_in_inbox(warehouse, storage)
        unregistered, held = list_unregistered(warehouse, storage), list_undecided(warehouse)
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
        Finding(
            "warn",
            "ledger",
            f"{len(unregistered)} manifest(s) in the outbox are not in the ledger, so their files are not ingested: {', '.join(unregistered[:3])}",
            "make them readable, in the folder of a known retailer, or remove them; the log of the task load says what is wrong",
        )
        if unregistered
        else Finding("ok", "ledger", "knows every file in the outbox"),
        Finding(
            "warn",
            "barcode inbox",
            f"{len(inbox_paths)} store-day(s) are overdue",
            "is enrich_barcodes paused or failed? sweep_outbox passes them on every 15 minutes",
        )
        if inbox_paths
        else Finding("ok", "barcode inbox", "no file is overdue"),
        Finding("warn", "quarantine", f"{len(held)} file(s) held or refused", "aisleflow quarantine list, then release or discard")
        if held
        else Finding("ok", "quarantine", "no file is held or refused"),
    ]


def alerts(home: Path) -> Sequence[Finding]:
    """Return findings about the destination of alerts, which running tasks read from the same file, and about the outside monitor."""
    try:
        address = read_address(home)
        where = display(address.urls) if address else None
    except ConfigurationError as error:
        return [Finding("fail", "alerts", "are not delivered", str(error))]
    if address is None:
        if os.environ.get(ALERTS_VARIABLE):
            return [Finding("ok", "alerts", "go to the address of the Airflow connection aisleflow_alerts of this environment")]
        return [
            Finding(
                "warn", "alerts", "this installation has no address for alerts",
                "aisleflow up, or aisleflow alerts address URL; without a home: the Airflow connection aisleflow_alerts (docs/operating.md, Alerts)",
            )
        ]  # fmt: skip
    monitor = (
        Finding("ok", "monitor", "sweep_outbox sends a sign of life every 15 minutes")
        if address.heartbeat_url
        else Finding(
            "warn",
            "monitor",
            "no outside monitor reports when this machine is down",
            "aisleflow alerts address --heartbeat URL (docs/operating.md, Alerts)",
        )
    )
    if address.urls != (INBOX_URL,):
        return [Finding("ok", "alerts", f"go to {where}"), monitor]
    found = inbox.read(home, 1)
    newest = f", the newest of {found[0]['at'][:16]}: {found[0]['title']}" if found else ", which is empty"
    return [Finding("ok", "alerts", f"go to the local inbox{newest}"), monitor]


#: Checks of ``doctor`` beyond the services.
EXTRA_CHECKS: list[Check] = [waiting_data, alerts]

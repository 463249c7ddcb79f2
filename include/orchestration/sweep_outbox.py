"""The tasks of ``sweep_outbox``."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration.assets import OUTBOX
from include.orchestration.resources import resources


def sweep(outlet_events: Any) -> list[str]:
    """Repair files of killed workers and emit ``outbox`` for every (retailer, night) with files that wait too long.

    Skips when idle: a task that succeeds always emits its asset.
    """
    from include.ingestion import sweep

    with resources() as (warehouse, storage):
        waiting = sweep.sweep(warehouse, storage)
    if not waiting:
        raise AirflowSkipException("no file waits")
    outlet_events[OUTBOX].add_partitions(sorted(waiting))
    outlet_events[OUTBOX].extra = {"files": waiting}
    return sorted(waiting)


def heartbeat() -> bool:
    """Tell the outside monitor that scheduler, worker and warehouse work. Skips without a monitor; a monitor that does not answer fails nothing."""
    from include.orchestration.alerting import send_heartbeat

    with resources() as (warehouse, _), warehouse.transaction() as connection:
        connection.execute("SELECT 1")
    reached = send_heartbeat()
    if reached is None:
        raise AirflowSkipException("no monitor is set up (docs/operating.md, Alerts)")
    return reached


def send_alerts() -> int:
    """End the alerts whose trouble is over, and send what is due; skips when nothing is."""
    from include.orchestration.alerting import send_due_alerts

    with resources() as (warehouse, storage):
        sent = send_due_alerts(warehouse, storage)
    if not sent:
        raise AirflowSkipException("no message is due")
    return sent


def prune() -> dict[str, int]:
    """Remove archived files, decided refused lines and landed pages past their retention period, and records that newer ones replace; return the counts."""
    from include.alerts import troubles
    from include.crawling import runs
    from include.groups import changes
    from include.ingestion import sweep
    from include.ledger import quarantine

    with resources() as (warehouse, storage):
        return {
            "archived_files": sweep.prune_archive(warehouse, storage),
            "decided_lines": quarantine.prune_decided(warehouse),
            "alerts": troubles.prune(warehouse),
            "changes_of_inferred_prices": changes.prune(warehouse),
            "landed_store_days": runs.prune_landing(warehouse, storage),
        }

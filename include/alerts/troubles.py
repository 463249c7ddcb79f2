"""The troubles that a person is told of: rows of ``ops.alert``, one per cause, from its begin until its end was told.

A message is sent while its row is locked and marked in the same transaction: two tasks of one cause send one alert, and what a service
did not accept stays due. The sweep calls :func:`send_due` every quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from include import clock
from include.alerts.alerts import Alert
from include.alerts.memory import SentAlerts
from include.warehouse.engine import Connection, Warehouse

#: The cause of every failure to reach the warehouse, the storage root: no task is needed to see that they are back.
WAREHOUSE, STORAGE = "warehouse", "storage"
KEPT_FOR = timedelta(days=90)

Send = Callable[[Alert], bool]


def question_key(dag_id: str, run_id: str) -> str:
    """Return the cause of an alert about a run's question."""
    return f"question|{dag_id}|{run_id}"


def open_alert(warehouse: Warehouse, alert: Alert) -> None:
    """Record that a trouble exists; :func:`send_due` sends it. One that was told is told again after ``AISLEFLOW_ALERT_REPEAT_HOURS``."""
    with warehouse.transaction() as connection:
        _open(connection, alert, warehouse)


def _open(connection: Connection, alert: Alert, warehouse: Warehouse) -> None:
    now = clock.now()
    values = {
        "alert_key": alert.key, "kind": alert.kind, "severity": alert.severity, "retailer": alert.retailer, "source": alert.source,
        "file_ids": list(alert.file_ids), "item": alert.item, "item_ids": list(alert.item_ids), "title": alert.title, "body": alert.body, "link": alert.link, "now": now,
        "answer_by_at": alert.answer_by_at, "repeat_before": now - timedelta(hours=warehouse.settings.alert_repeat_hours),
    }  # fmt: skip
    connection.run("alerts/open_alert", values)


def open_held_alerts(warehouse: Warehouse, retailers: Sequence[str], build: Callable[[list[int]], Alert]) -> list[int]:
    """Record one alert per retailer and night about held store-days that no alert names yet; return their file ids.

    Args:
        build: makes the alert about file ids.
    """
    from include.warehouse.engine import lock

    groups: dict[tuple[str, Any], list[int]] = {}
    with warehouse.transaction() as connection:
        lock(connection, "alerts")  # an ingest run and the sweep may find the same store-days
        for row in connection.run("alerts/list_unannounced", {"retailers": list(retailers)}).fetchall():
            groups.setdefault((row["retailer"], row["night"]), []).append(int(row["file_id"]))
        for file_ids in groups.values():
            _open(connection, build(file_ids), warehouse)
    return [file_id for file_ids in groups.values() for file_id in file_ids]


def end_of_task(warehouse: Warehouse, source: str, retailer: str | None, why: str) -> None:
    """End the troubles that a task raised for a retailer (``None``: for none), because it succeeded."""
    with warehouse.transaction() as connection:
        connection.run("alerts/end_of_task", {"source": source, "retailer": retailer, "end_reason": why, "now": clock.now()})


def end_keys(warehouse: Warehouse, keys: Sequence[str], why: str) -> None:
    """End troubles by their causes."""
    with warehouse.transaction() as connection:
        connection.run("alerts/end_keys", {"alert_keys": list(keys), "end_reason": why, "now": clock.now()})


def end_decided(warehouse: Warehouse) -> None:
    """End the alerts about held store-days, barcode conflicts and proposals that are all decided, wherever that was done."""
    with warehouse.transaction() as connection:
        connection.run("alerts/end_decided", {"now": clock.now()})
        connection.run("alerts/end_decided_items", {"now": clock.now()})


def list_told(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Return the troubles that a person knows of, last day's questions included: ``alert_key``, ``retailer``, ``source``, ``kind``, ``file_ids``."""
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("alerts/list_told", {"since": clock.now() - timedelta(days=1)}).fetchall()]


def prune(warehouse: Warehouse) -> int:
    """Delete alerts whose end was told more than :data:`KEPT_FOR` ago; return their number."""
    with warehouse.transaction() as connection:
        return connection.run("alerts/prune_alerts", {"before": clock.now() - KEPT_FOR}).rowcount


def send_due(warehouse: Warehouse, memory: SentAlerts, send: Send) -> int:
    """Send every message that is due, the oldest trouble first, until one is not accepted; return the number sent.

    Args:
        memory: the alerts sent while the warehouse was away: forgotten when their end was told.
        send: delivers an alert and returns whether it was accepted.
    """
    sent = 0
    while True:
        with warehouse.transaction() as connection:
            now = clock.now()
            settled_before = now - timedelta(minutes=warehouse.settings.alert_end_minutes)
            row = connection.run("alerts/take_due", {"now": now, "settled_before": settled_before}).fetchone()
            if row is None or not send(_message(row, now)):
                return sent
            values = {name: row[name] for name in ("alert_id", "message", "reminders_due")} | {"now": now}
            connection.run("alerts/mark_sent", values)
        if row["message"] == "end":
            memory.forget(row["alert_key"])
        sent += 1


def _message(row: dict[str, Any], now: datetime) -> Alert:
    title, body = row["title"], row["body"]
    if row["message"] == "reminder":
        left = clock.in_words(row["answer_by_at"] - now)
        title = f"reminder, {left} left: {title}"
        body = f"There is no answer yet; the question lapses at {clock.in_melbourne(row['answer_by_at'])}.\n\n{body}"
    if row["message"] == "end":
        body = (
            f"It began at {clock.in_melbourne(row['raised_at'])} and ended at {clock.in_melbourne(row['ended_at'])}: {row['end_reason']}."
        )
        if row["told_at"] is None:
            body += f" It could not be sent before. What was the matter:\n\n{row['body']}"
        return Alert(row["kind"], "info", f"over: {title}", body, row["alert_key"], link=row["link"], retailer=row["retailer"])
    if row["message"] == "begin" and now - row["raised_at"] > timedelta(hours=1):
        title = f"since {clock.in_melbourne(row['raised_at'])}: {title}"
    return Alert(row["kind"], row["severity"], title, body, row["alert_key"], link=row["link"], retailer=row["retailer"])


def send_without_warehouse(alert: Alert, memory: SentAlerts, repeat: timedelta, send: Send) -> None:
    """Send an alert while the warehouse is away, once per cause and ``repeat``; its record is a file in the storage root."""
    if not memory.claim(alert, repeat):
        return
    if not send(alert):
        memory.forget(alert.key)


def adopt(warehouse: Warehouse, memory: SentAlerts) -> None:
    """Record the alerts that were sent while the warehouse was away. That this succeeds ends the trouble with the warehouse."""
    for record in memory.records():
        is_over = record["alert_key"] == WAREHOUSE
        values = record | {
            "ended_at": record["last_at"] if is_over else None,
            "end_reason": "the warehouse responds again" if is_over else None,
        }
        del values["last_at"]
        with warehouse.transaction() as connection:
            connection.run("alerts/adopt_alert", values)
        if not is_over:
            memory.forget(record["alert_key"])

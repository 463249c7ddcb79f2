"""Sends alerts through Apprise to what the Airflow connection ``aisleflow_alerts`` names.

A failed delivery never fails a task: the log says so, and the alert is sent at the next occasion. Decisions about quantity:
a task that fails again with the same message is told once in ``AISLEFLOW_ALERT_REPEAT_HOURS``; mapped instances of one task
and run are one alert; those a watcher follows (trigger rule ``one_failed``) leave it to the watcher; a held store-day is told
once for as long as it is held for the same reason, whatever is retried or cleared.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Connection, TriggerRule
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException, AirflowRuntimeError

from include.errors import NeedsPersonError

if TYPE_CHECKING:
    from include.alerts.alerts import Alert
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

ALERTS_CONNECTION = "aisleflow_alerts"


class FailureNotifier(BaseNotifier):
    """Callback of every task (``defaults.py``): tells a person that it failed for good."""

    def notify(self, context: Any) -> None:
        """Send the alert; whatever goes wrong with it is said in the log, and the task's own failure stays what it is."""
        try:
            send_failure_alert(context)
        except Exception:
            log.exception("the alert about this failure could not be sent; the failure itself is above")

    async def async_notify(self, context: Any) -> None:
        """As :meth:`notify`, for deadline alerts, which run in the triggerer."""
        import asyncio

        await asyncio.to_thread(self.notify, context)


def send_failure_alert(context: Any) -> None:
    """Send an alert about the failed task of a context, unless it is no news."""
    from include.alerts.alerts import held_key
    from include.alerts.failed import FailedTask, failed_alert
    from include.alerts.memory import SentAlerts
    from include.config import settings
    from include.ledger.open_questions import HeldStoreDays
    from include.staging.storage import Storage

    ti, task, dag_run = context["ti"], context.get("task"), context.get("dag_run")
    is_mapped = ti.map_index is not None and ti.map_index >= 0
    if is_mapped and task is not None and _is_watched(task):
        log.info("no alert from here: a watcher of this run tells that instances of %s failed", ti.task_id)
        return
    error = context.get("exception")
    cause = error.__cause__ if isinstance(error, BaseException) and error.__cause__ is not None else error
    memory = SentAlerts(Storage(settings().storage))
    if isinstance(cause, HeldStoreDays) and all(memory.was_sent(held_key([file])) for file in cause.files):
        log.info("no alert from here: the alert about the held store-days has told it")
        return
    failed = FailedTask(
        dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, error=error, is_mapped=is_mapped, label=_label(ti) if is_mapped else None,
        partition_key=getattr(dag_run, "partition_key", None), tries=getattr(ti, "try_number", 1), needs_person=isinstance(cause, NeedsPersonError),
        is_wrapped=isinstance(error, AirflowFailException), link=_link(ti),
    )  # fmt: skip
    alert = failed_alert(failed)
    if memory.was_sent(alert.key, timedelta(hours=settings().alert_repeat_hours)):
        log.info("no alert: the same was told less than %s hours ago (AISLEFLOW_ALERT_REPEAT_HOURS)", settings().alert_repeat_hours)
        return
    if send(alert):
        memory.record(alert.key, alert.title)


def send_held_alerts(warehouse: Warehouse, storage: Storage, retailers: Sequence[str], context: Any = None) -> list[int]:
    """Send one alert per retailer and night about held store-days nobody was told of; return their file ids. Never raises for a delivery."""
    from dataclasses import replace

    from include.alerts.alerts import held_alert, unalerted
    from include.alerts.memory import SentAlerts
    from include.warehouse.engine import lock

    memory = SentAlerts(storage)
    alerted_ids: list[int] = []
    with warehouse.transaction() as connection:
        lock(connection, "alerts")  # an ingest run and the sweep may want to tell the same
        groups = unalerted(connection, retailers, memory)
    for group in groups:
        alert = replace(held_alert(warehouse, list(group), storage), link=_link(context["ti"]) if context else None)
        if send(alert):
            for file_id, key in group.items():
                memory.record(key, alert.title)
                alerted_ids.append(file_id)
    return alerted_ids


def send(alert: Alert) -> bool:
    """Deliver an alert; False, and a line in the log, if it could not be. Nothing is raised."""
    try:
        connection = Connection.get(ALERTS_CONNECTION)
    except (AirflowNotFoundException, AirflowRuntimeError):
        connection = None
    if connection is None:
        log.warning(
            "no alert is sent: there is no Airflow connection %s (docs/operating.md, Alerts). It would say: %s",
            ALERTS_CONNECTION,
            alert.title,
        )
        return False
    try:
        delivered = _deliver(connection, alert)
    except Exception as error:  # whatever a service or its address does: the work matters more than the news of it
        log.error("the alert could not be delivered (%s). It would say: %s", type(error).__name__, alert.title)
        return False
    if not delivered:
        log.error("the alert was not delivered: no service of connection %s took it. It would say: %s", ALERTS_CONNECTION, alert.title)
    return delivered


def _deliver(connection: Any, alert: Alert) -> bool:
    import apprise
    from airflow.providers.apprise.hooks.apprise import AppriseHook

    register_inbox()
    services = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Aisleflow", app_desc="Shelf prices", secure_logging=True))
    AppriseHook(apprise_conn_id=ALERTS_CONNECTION).set_config_from_conn(connection, services)
    if not len(services):
        raise ValueError("the connection names no usable Apprise URL")
    kind = apprise.NotifyType.FAILURE if alert.severity == "critical" else apprise.NotifyType.WARNING
    return bool(services.notify(title=alert.title, body=alert.text(), notify_type=kind, body_format=apprise.NotifyFormat.TEXT))


def register_inbox() -> None:
    """Make ``inbox://`` known to Apprise: the folder ``inbox`` of this installation's home. Safe to repeat."""
    from apprise.decorators import notify
    from apprise.manager_plugins import NotificationManager

    if "inbox" in NotificationManager().schemas():  # type: ignore[no-untyped-call]
        return

    @notify(on="inbox", name="Aisleflow's local inbox")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore]
    def put_into_inbox(body: str, title: str, notify_type: Any, *args: Any, **kwargs: Any) -> bool:
        from include.alerts import inbox
        from include.config import settings

        inbox.put(settings().home, title, body, "critical" if str(getattr(notify_type, "value", notify_type)) == "failure" else "warning")
        return True


def _is_watched(task: Any) -> bool:
    dag = task.get_dag() if hasattr(task, "get_dag") else getattr(task, "dag", None)
    followers = [dag.get_task(name) for name in task.downstream_task_ids] if dag is not None else []
    return any(follower.trigger_rule == TriggerRule.ONE_FAILED for follower in followers)


def _label(ti: Any) -> str:
    return str(getattr(ti, "rendered_map_index", None) or ti.map_index)


def _link(ti: Any) -> str | None:
    return getattr(ti, "log_url", None)

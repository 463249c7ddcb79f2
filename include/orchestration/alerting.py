"""Sends alerts through Apprise to the services of the Airflow connection ``aisleflow_alerts``.

A failed delivery never fails a task: it is logged, and the alert is sent at the next opportunity. Limits on the number of alerts:
a task that fails again with the same message raises one alert per ``AISLEFLOW_ALERT_REPEAT_HOURS``; mapped instances of one task
and run share one alert; instances followed by a watcher (trigger rule ``one_failed``) raise none, the watcher does; a held store-day
raises one alert for as long as it is held for the same reason, regardless of retries and cleared tasks.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Connection, TriggerRule
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException, AirflowRuntimeError

from include.errors import NeedsPersonError

if TYPE_CHECKING:
    from include.alerts.alerts import Alert
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

ALERTS_CONNECTION = "aisleflow_alerts"
#: Its password is the address of the outside monitor, in an installation without a home of its own.
HEARTBEAT_CONNECTION = "aisleflow_heartbeat"


def send_failure_alert(context: Any) -> None:
    """Send an alert about the failed task of a context, unless one about the same failure was sent."""
    from include.alerts.alerts import held_key
    from include.alerts.failed import FailedTask, failed_alert
    from include.alerts.memory import SentAlerts
    from include.config import settings
    from include.ledger.open_questions import HeldStoreDays
    from include.staging.storage import Storage

    ti, task, dag_run = context["ti"], context.get("task"), context.get("dag_run")
    is_mapped = ti.map_index is not None and ti.map_index >= 0
    if is_mapped and task is not None and _is_watched(task):
        log.info("no alert from here: a watcher task of this run reports that instances of %s failed", ti.task_id)
        return
    error = context.get("exception")
    cause = error.__cause__ if isinstance(error, BaseException) and error.__cause__ is not None else error
    memory = SentAlerts(Storage(settings().storage))
    if isinstance(cause, HeldStoreDays) and all(memory.was_sent(held_key([file])) for file in cause.files):
        log.info("no alert from here: an alert about the held store-days was sent")
        return
    failed = FailedTask(
        dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, error=error, is_mapped=is_mapped, label=_label(ti) if is_mapped else None,
        partition_key=getattr(dag_run, "partition_key", None), tries=getattr(ti, "try_number", 1), needs_person=isinstance(cause, NeedsPersonError),
        is_wrapped=isinstance(error, AirflowFailException), link=_link(ti),
    )  # fmt: skip
    alert = failed_alert(failed)
    if memory.was_sent(alert.key, timedelta(hours=settings().alert_repeat_hours)):
        log.info(
            "no alert: one about the same failure was sent less than %s hours ago (AISLEFLOW_ALERT_REPEAT_HOURS)",
            settings().alert_repeat_hours,
        )
        return
    if send(alert):
        memory.record(alert.key, alert.title)


def send_held_alerts(warehouse: Warehouse, storage: Storage, retailers: Sequence[str], context: Any = None) -> list[int]:
    """Send one alert per retailer and night about held store-days without an alert; return their file ids. A failed delivery raises nothing."""
    from dataclasses import replace

    from include.alerts.alerts import held_alert, unalerted
    from include.alerts.memory import SentAlerts
    from include.warehouse.engine import lock

    memory = SentAlerts(storage)
    alerted_ids: list[int] = []
    with warehouse.transaction() as connection:
        lock(connection, "alerts")  # an ingest run and the sweep may send the same alert
        groups = unalerted(connection, retailers, memory)
    for group in groups:
        alert = replace(held_alert(warehouse, list(group), storage), link=_link(context["ti"]) if context else None)
        if send(alert):
            for file_id, key in group.items():
                memory.record(key, alert.title)
                alerted_ids.append(file_id)
    return alerted_ids


def send(alert: Alert) -> bool:
    """Deliver an alert; return False and log it if the delivery failed. Raises nothing."""
    from include.alerts.delivery import deliver

    try:
        services = _services()
        if services is None:
            log.warning(
                "no alert is sent: this installation has no address for alerts and there is no Airflow connection %s (docs/operating.md, Alerts). The alert: %s",
                ALERTS_CONNECTION,
                alert.title,
            )
            return False
        delivered = deliver(alert, services)
    except Exception as error:  # any error of a service or its address: an alert must not fail the task
        log.error("the alert could not be delivered (%s). The alert: %s", type(error).__name__, alert.title)
        return False
    if not delivered:
        log.error("the alert was not delivered: a service did not accept it (aisleflow alerts test). The alert: %s", alert.title)
    return delivered


def _services() -> Any:
    """Return the services of this installation's address, else of the Airflow connection; ``None`` if there is neither."""
    from include.alerts.address import read_address
    from include.alerts.delivery import new_services, services_of
    from include.config import settings

    if (address := read_address(settings().home)) is not None:
        return services_of(address.urls)
    try:
        connection = Connection.get(ALERTS_CONNECTION)
    except (AirflowNotFoundException, AirflowRuntimeError):
        return None
    from airflow.providers.apprise.hooks.apprise import AppriseHook

    services = new_services()
    AppriseHook(apprise_conn_id=ALERTS_CONNECTION).set_config_from_conn(connection, services)
    if not len(services):
        raise ValueError("the connection names no usable Apprise URL")
    return services


def send_heartbeat() -> bool | None:
    """Tell the outside monitor that this installation lives; ``None`` if no monitor is set up."""
    from include.alerts.address import read_address
    from include.alerts.heartbeat import beat
    from include.config import settings

    address = read_address(settings().home)
    url = address.heartbeat_url if address else None
    if url is None:
        try:
            url = Connection.get(HEARTBEAT_CONNECTION).password
        except (AirflowNotFoundException, AirflowRuntimeError):
            return None
    return beat(url) if url else None


def _is_watched(task: Any) -> bool:
    dag = task.get_dag() if hasattr(task, "get_dag") else getattr(task, "dag", None)
    followers = [dag.get_task(name) for name in task.downstream_task_ids] if dag is not None else []
    return any(follower.trigger_rule == TriggerRule.ONE_FAILED for follower in followers)


def _label(ti: Any) -> str:
    return str(getattr(ti, "rendered_map_index", None) or ti.map_index)


def _link(ti: Any) -> str | None:
    return getattr(ti, "log_url", None)

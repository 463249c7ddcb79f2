"""Raises, sends and ends alerts from tasks; ``include/alerts/troubles.py`` keeps them, one row per cause.

Nothing here fails a task: what was not delivered stays due, and ``sweep_outbox`` sends it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException, AirflowRuntimeError

from include.errors import AisleflowError
from include.retailer_names import RETAILERS

if TYPE_CHECKING:
    from include.alerts.alerts import Alert
    from include.alerts.failed import FailedTask
    from include.staging.storage import Storage
    from include.warehouse.engine import Warehouse

log = logging.getLogger(__name__)

#: What a task meets when the warehouse, its connection or Airflow's API is away.
AWAY = (AisleflowError, psycopg.Error, AirflowException, AirflowRuntimeError)

ALERTS_CONNECTION = "aisleflow_alerts"
#: Its password is the address of the outside monitor, in an installation without a home of its own.
HEARTBEAT_CONNECTION = "aisleflow_heartbeat"


def send_failure_alert(context: Any) -> None:
    """Raise the alerts about the failed task of a context, unless a person was told of their cause."""
    from include.alerts.failed import failed_alerts
    from include.alerts.known import is_known
    from include.alerts.troubles import list_told
    from include.orchestration.resources import resources

    task = _failed_task(context)
    try:
        with resources() as (warehouse, _):
            if is_known(task.cause, list_told(warehouse)):
                log.info("no alert from here: its cause was reported")
                return
    except AWAY as error:
        log.warning("the warehouse cannot say what was reported (%s): this failure is", type(error).__name__)
    for alert in failed_alerts(task):
        raise_alert(alert)


def end_failure_alert(context: Any) -> None:
    """End the alerts that the task of a context raised, because it succeeded or found nothing to do."""
    from include.alerts.troubles import end_of_task
    from include.orchestration.resources import resources

    task = _failed_task(context)
    with resources() as (warehouse, _):
        end_of_task(warehouse, f"{task.dag_id}.{task.task_id}", task.retailer, f"the task succeeded in run {task.run_id}")


def raise_alert(alert: Alert) -> None:
    """Record an alert and send it; without the warehouse it is sent at once, its record is a file in the storage root."""
    from include.alerts.memory import SentAlerts
    from include.alerts.troubles import open_alert, send_due, send_without_warehouse
    from include.config import settings
    from include.orchestration.resources import resources
    from include.staging.storage import Storage

    memory = SentAlerts(Storage(settings().storage))
    try:
        with resources() as (warehouse, _):
            open_alert(warehouse, alert)
            send_due(warehouse, memory, send)
    except AWAY as error:
        log.warning("the warehouse does not keep this alert (%s): it is sent without it", type(error).__name__)
        send_without_warehouse(alert, memory, timedelta(hours=settings().alert_repeat_hours), send)


def end_alert(key: str, why: str) -> None:
    """End the trouble with a key and send what is due; the sweep does it should the warehouse be away."""
    from include.alerts.memory import SentAlerts
    from include.alerts.troubles import end_keys, send_due
    from include.orchestration.resources import resources

    try:
        with resources() as (warehouse, storage):
            end_keys(warehouse, [key], why)
            send_due(warehouse, SentAlerts(storage), send)
    except AWAY as error:
        log.error("the end of the alert %s could not be recorded (%s): %s", key, type(error).__name__, why)


def send_held_alerts(warehouse: Warehouse, storage: Storage, retailers: Sequence[str], link: str | None = None) -> list[int]:
    """Raise one alert per retailer and night about held store-days without an alert; return their file ids."""
    from dataclasses import replace

    from include.alerts.alerts import held_alert
    from include.alerts.memory import SentAlerts
    from include.alerts.troubles import open_held_alerts, send_due

    found = open_held_alerts(warehouse, retailers, lambda file_ids: replace(held_alert(warehouse, file_ids, storage), link=link))
    send_due(warehouse, SentAlerts(storage), send)
    return found


def send_due_alerts(warehouse: Warehouse, storage: Storage) -> int:
    """Send what is due: alerts that a service did not accept, reminders, ends; return the number of messages.

    That this runs shows that warehouse and storage root respond, so troubles with them are over.
    """
    from include.alerts import troubles
    from include.alerts.memory import SentAlerts

    memory = SentAlerts(storage)
    troubles.end_keys(warehouse, [troubles.WAREHOUSE], "the warehouse responds again")
    troubles.end_decided(warehouse)
    sent = troubles.send_due(warehouse, memory, send)
    troubles.adopt(warehouse, memory)
    if storage.is_there():
        troubles.end_keys(warehouse, [troubles.STORAGE], "the storage root can be reached again")
    return sent


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
    # Apprise loads a plugin per address, and each may raise anything; the alert stays due, and the task it is about must keep its own error
    except Exception as error:
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


def _failed_task(context: Any) -> FailedTask:
    from include.alerts.failed import FailedTask

    ti, dag_run, error = context["ti"], context.get("dag_run"), context.get("exception")
    is_mapped = ti.map_index is not None and ti.map_index >= 0
    label = str(getattr(ti, "rendered_map_index", None) or ti.map_index) if is_mapped else None
    partition_key = getattr(dag_run, "partition_key", None)
    named = [
        str(partition_key or "").partition("|")[0],
        ti.dag_id.removeprefix("scrape_"),
        label,
        (context.get("params") or {}).get("retailer"),
    ]
    return FailedTask(
        dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, error=error, is_mapped=is_mapped, label=label,
        retailer=next((name for name in named if name in RETAILERS), None), partition_key=partition_key, tries=getattr(ti, "try_number", 1),
        is_wrapped=isinstance(error, AirflowFailException), link=getattr(ti, "log_url", None),
    )  # fmt: skip

"""The notifiers: a failed task raises an alert, its next success ends it.

The callbacks of every task (``include/orchestration/defaults.py``) import them by name, after the last try; a DAG
or a deadline may name one as its callback, too. Airflow's processes have the plugins folder in their module path.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from airflow.sdk.bases.notifier import BaseNotifier

from include.orchestration.alerting import AWAY, end_failure_alert, send_failure_alert

log = logging.getLogger(__name__)


class FailureNotifier(BaseNotifier):
    """Raises the alert about the failed task of a context."""

    def notify(self, context: Any) -> None:
        """Raise the alert. Airflow logs what a callback raises, and reports the task's own error all the same."""
        send_failure_alert(context)

    async def async_notify(self, context: Any) -> None:
        """As :meth:`notify`, for deadline alerts, which run in the triggerer."""
        await asyncio.to_thread(self.notify, context)


class SuccessNotifier(BaseNotifier):
    """Ends the alerts that the succeeded task of a context raised earlier."""

    def notify(self, context: Any) -> None:
        """End the alerts; without the warehouse the task's next success does."""
        try:
            end_failure_alert(context)
        except AWAY as error:
            log.warning("earlier alerts of this task are not ended (%s); its next success ends them", error)

    async def async_notify(self, context: Any) -> None:
        """As :meth:`notify`."""
        await asyncio.to_thread(self.notify, context)

"""The notifier: alerts an operator about a failed task.

The callback of every task (``include/orchestration/defaults.py``) imports it by its name, after the last failed try; a DAG
or a deadline may name it as its callback, too. Airflow's processes have the plugins folder in their module path.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from airflow.sdk.bases.notifier import BaseNotifier

from include.orchestration.alerting import send_failure_alert

log = logging.getLogger(__name__)


class FailureNotifier(BaseNotifier):
    """Sends an alert about the failed task of a context, through the connection ``aisleflow_alerts``."""

    def notify(self, context: Any) -> None:
        """Send the alert; log any error of the delivery, so that the task's own error remains the reported one."""
        try:
            send_failure_alert(context)
        except Exception:
            log.exception("the alert about this failure could not be sent; the failure itself is above")

    async def async_notify(self, context: Any) -> None:
        """As :meth:`notify`, for deadline alerts, which run in the triggerer."""
        await asyncio.to_thread(self.notify, context)

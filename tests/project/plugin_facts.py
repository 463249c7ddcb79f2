"""Runs in a separate process with the environment of an Airflow component: prints Airflow's view of ``plugins/`` as JSON."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

from airflow import plugins_manager
from airflow.api_fastapi.core_api.datamodels.plugins import PluginResponse

from include.orchestration.defaults import DEFAULT_ARGS


def alert_of_a_failed_task() -> str:
    """Call the failure callback of every task before any plugin is loaded; return the alert's title."""
    from include.orchestration import alerting

    sent: list[Any] = []

    def send(alert: Any) -> bool:
        sent.append(alert)
        return True

    alerting.send = send
    ti = SimpleNamespace(dag_id="ingest_prices", task_id="load", run_id="r1", map_index=-1, try_number=1, log_url="http://localhost/log")
    DEFAULT_ARGS["on_failure_callback"]({"ti": ti, "exception": RuntimeError("disk full")})
    return str(sent[0].title) if sent else "no alert"


def main() -> None:
    alert = alert_of_a_failed_task()
    _, errors = plugins_manager._get_plugins()
    facts = {
        "alert": alert,
        "errors": errors,
        "plugins": sorted(PluginResponse.model_validate(plugin).name for plugin in plugins_manager.get_plugin_info()),
        "links": sorted(link.name for link in plugins_manager.get_global_operator_extra_links()),
        "apps": {app["name"]: app["url_prefix"] for app in plugins_manager.get_fastapi_plugins()[0]},
        "pages_loaded": "aisleflow_pages" in sys.modules,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()

"""Runs in a separate process with the environment of an Airflow component: prints Airflow's view of ``plugins/`` as JSON."""

from __future__ import annotations

import json
import sys

from airflow import plugins_manager


def main() -> None:
    plugins, errors = plugins_manager._get_plugins()
    facts = {
        "errors": errors,
        "plugins": sorted(plugin.name or "" for plugin in plugins),
        "links": sorted(link.name for link in plugins_manager.get_global_operator_extra_links()),
        "apps": {app["name"]: app["url_prefix"] for app in plugins_manager.get_fastapi_plugins()[0]},
        "pages_loaded": "aisleflow_pages" in sys.modules,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()

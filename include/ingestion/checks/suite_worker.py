"""Program of the suite's helper. See ``include/ingestion/checks/suite_helper.py``.

Commands: ``count`` runs the suite on a batch, ``data_docs`` builds Data Docs.
"""

from __future__ import annotations

from typing import Any

from include.config import Settings
from include.ingestion.checks import data_docs, suite
from include.ingestion.checks.library import great_expectations
from include.ingestion.helper import Handler, serve
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def prepare(setup: Any) -> Handler:
    """Open warehouse and storage; return the handler of commands."""
    warehouse, storage = Warehouse(setup["url"], Settings(**setup["settings"])), Storage(setup["storage"])

    def execute(command: Any) -> Any:
        if command["do"] == "data_docs":
            data_docs.publish_if_possible(warehouse, storage)
            return True
        kept: list[dict[str, Any]] = []
        broken = suite.count_broken(warehouse.url, command["file_ids"], kept.append)
        return {"broken": broken, "kept": kept}

    return execute


if __name__ == "__main__":
    serve(prepare, preload=great_expectations)

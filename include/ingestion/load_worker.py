"""Program of a loading helper: a command is a file id, its response ``true`` once the file is loaded. See ``include/ingestion/workers.py``."""

from __future__ import annotations

from typing import Any

from include.config import Settings
from include.ingestion.helper import Handler, serve
from include.ingestion.load import ensure_loaded
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def prepare(setup: Any) -> Handler:
    """Open warehouse and storage; return the handler that loads one file."""
    warehouse, storage = Warehouse(setup["url"], Settings(**setup["settings"])), Storage(setup["storage"])

    def load(file_id: int) -> bool:
        ensure_loaded(warehouse, storage, file_id)
        return True

    return load


if __name__ == "__main__":
    serve(prepare)

"""Loads a retailer's waiting files with helpers in a separate process: ``URL STORAGE RETAILER WORKERS``; to be killed, or run as a daemon."""

from __future__ import annotations

import sys

from include.config import settings
from include.ingestion import pipeline, workers
from include.staging.storage import Storage
from include.warehouse.engine import Warehouse


def main(url: str, root: str, retailer: str, count: str) -> None:
    """Load; helpers are started however few lines there are."""
    workers.MIN_LINES_FOR_HELPERS = 1
    pipeline.load(Warehouse(url, settings().model_copy(update={"ingest_workers": int(count)})), Storage(root), retailer)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The task of ``discover_stores``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from include.orchestration.resources import resources


def discover(retailer: str) -> dict[str, Any]:
    """Update the stores from a retailer's store finder; return counts."""
    from include.crawling import runs

    with resources() as (warehouse, _):
        return asdict(runs.discover(warehouse, retailer))

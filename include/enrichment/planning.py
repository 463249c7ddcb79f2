"""The plan of a run of look-ups: whose SKUs are due, how many requests are left, how many workers share them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from math import ceil
from typing import Any

from include.enrichment.lookup_queue import LookupNight, LookupQueue
from include.retailers.registry import RETAILERS, retailer_of
from include.warehouse.engine import Warehouse

#: Workers of one retailer at most. They share its limits, so more of them only wait for one another.
WORKERS_MAX = 2


@dataclass(frozen=True, slots=True)
class LookupPlan:
    """One retailer's part of a run. ``requests_max`` counts those sent before in the same night; without ``workers`` nothing is asked."""

    retailer: str
    requests_max: int
    workers: int
    night: LookupNight


def retailers_with_sources() -> list[str]:
    """Return the retailers whose sites show barcodes beside the listing."""
    return [name for name, adapter in RETAILERS.items() if adapter.barcode_sources()]


def plan_look_ups(warehouse: Warehouse, retailer: str, night: date, requests: int | None = None) -> LookupPlan:
    """Queue and rank what is due, and return the plan.

    Args:
        requests: of this run alone, whatever the night has sent; ``None``: what is left of ``AISLEFLOW_LOOK_UP_REQUESTS``.
    """
    so_far = LookupQueue(warehouse, retailer, night).rank()
    requests_max = warehouse.settings.look_up_requests if requests is None else so_far.requests + requests
    batches = ceil(so_far.due / retailer_of(retailer).barcode_sources()[0].batch)
    workers = min(WORKERS_MAX, batches) if requests_max > so_far.requests else 0
    return LookupPlan(retailer, requests_max, workers, so_far)


def night_figures(warehouse: Warehouse, retailer: str, night: date) -> dict[str, Any]:
    """Return what a retailer's night has asked and gained so far, as plain values."""
    found = LookupQueue(warehouse, retailer, night).night()
    return asdict(found) | {"retailer": retailer, "night": night.isoformat(), "requests_per_sku": found.requests_per_sku}

"""Requests to crawl stores before all others; the plan of the next night begins with them."""

from __future__ import annotations

from collections.abc import Mapping

from include import clock
from include.warehouse.engine import Connection


def request_stores(connection: Connection, retailer: str, reasons: Mapping[str, str], requested_by: str) -> int:
    """Request stores, each with its reason; return the number of new requests. A store that is requested already keeps its request.

    A request ends when a crawl that began after it is complete.
    """
    values = {
        "retailer": retailer, "store_ids": list(reasons), "reasons": list(reasons.values()), "requested_by": requested_by, "now": clock.now(),
    }  # fmt: skip
    return connection.run("crawl/request_stores", values).rowcount

"""What ``aisleflow sandbox verify`` compares: the published prices of this installation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from include.cli.common import warehouse_url
from include.config import settings
from include.diagnostics.published import last_complete, stream_prices
from include.sandbox.verify import PriceRow, StoreKey
from include.warehouse.engine import Warehouse


def read_rows() -> tuple[Iterable[PriceRow], Mapping[StoreKey, datetime]]:
    """Return every published price, store by store, and the instant of each store's last complete store-day."""
    warehouse = Warehouse(warehouse_url(), settings())
    return cast(Iterable[PriceRow], stream_prices(warehouse)), last_complete(warehouse)

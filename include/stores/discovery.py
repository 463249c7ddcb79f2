"""Store discovery: what the retailers' store finders say, taken over into ``core.store``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from include import clock
from include.errors import TerminalError
from include.warehouse.engine import Warehouse
from include.warehouse.statements import statement

_COLUMNS = (
    "retailer", "store_id", "online_store_id", "name", "state", "suburb", "postcode", "latitude", "longitude", "division", "is_supermarket", "is_trading",
)  # fmt: skip


class FoundStore(Protocol):
    """A store as a store finder knows it (``include.retailers.base.StoreRecord`` is one)."""

    @property
    def retailer(self) -> str: ...
    @property
    def store_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Discovered:
    """Counts of one discovery. A retailer's petrol stations and liquor shops are stores, but no supermarkets."""

    stores: int
    supermarkets: int
    not_trading: int
    new: int


def take_over(warehouse: Warehouse, retailer: str, found: Iterable[FoundStore]) -> Discovered:
    """Merge the stores a finder returned into ``core.store``. Safe to repeat; a store is never removed.

    Raises:
        TerminalError: the finder returned no supermarket at all; nothing is changed.
    """
    with warehouse.transaction() as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE discovered (retailer text, store_id text, online_store_id text, name text, state text, suburb text, postcode text, "
            "latitude double precision, longitude double precision, division text, is_supermarket boolean, is_trading boolean, PRIMARY KEY (retailer, store_id)) ON COMMIT DROP"
        )
        with connection.cursor() as cursor, cursor.copy(f"COPY discovered ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
            for store in found:
                copy.write_row([getattr(store, column) for column in _COLUMNS])
        row = connection.execute(statement("stores/merge_discovered"), {"now": clock.now()}).fetchone()
        if row is None or not row["supermarkets"]:
            raise TerminalError(
                f"{retailer}: the store finder returned no supermarket. Its answer has changed, or the site is not the one expected; see the log of the task."
            )
        return Discovered(**row)

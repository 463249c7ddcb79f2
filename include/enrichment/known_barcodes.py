"""What the warehouse knows of the barcodes of some SKUs, in one query; unknown ones are queued for look-up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

from include import clock
from include.warehouse.engine import Connection
from include.wording.same_good import Text

State = Literal["proved", "contested", "none"]

#: Between SKUs in the parameter. A SKU that has it is unknown.
_SEPARATOR = "\x1f"


class KnownBarcode(NamedTuple):
    """What is known of one SKU.

    ``proved``: ``gtin`` is the retailer's own and accepted for the good with this ``text``. ``contested``: the retailer claims one that the catalogue
    refuses. ``none``: the retailer was asked and has no usable one.
    """

    state: State
    gtin: str | None = None
    text: Text | None = None


def find_known(connection: Connection, retailer: str, skus: Collection[str], *, is_queued: bool = False) -> dict[str, KnownBarcode]:
    """Return what is known of these SKUs of a retailer; those left out are unknown.

    ``sql/enrichment/find_barcodes.sql`` states which evidence proves a barcode. The work depends on the number of SKUs asked for, not on the size of
    the warehouse, so this can answer a request for a whole range.

    Args:
        is_queued: queue the SKUs without a proved barcode for look-up, unless they were before.
    """
    asked = set(skus)
    row = connection.run("enrichment/find_barcodes", {"retailer": retailer, "skus": _SEPARATOR.join(asked)}).fetchone()
    columns = [column or () for column in row.values()] if row else []
    known = {
        sku: KnownBarcode(state, gtin, (name, brand, size) if name else None)
        for sku, state, gtin, name, brand, size in zip(*columns, strict=True)
    }
    if is_queued:
        waiting = [sku for sku in asked if sku not in known or known[sku].state != "proved"]
        connection.run("enrichment/queue_lookups", {"retailer": retailer, "skus": waiting, "now": clock.now()})
    return known

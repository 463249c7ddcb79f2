"""What the warehouse knows of the barcodes of some SKUs, in one query; unknown ones are queued for look-up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from include import clock
from include.warehouse.engine import Connection
from include.wording.same_good import Text

State = Literal["proved", "contested", "none"]


@dataclass(frozen=True, slots=True)
class KnownBarcode:
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
    connection.execute("CREATE TEMPORARY TABLE asked_sku (sku text) ON COMMIT DROP")
    with connection.cursor() as cursor, cursor.copy("COPY asked_sku FROM STDIN") as copy:
        for sku in set(skus):
            copy.write_row((sku,))
    connection.execute("ANALYZE asked_sku")
    found = connection.run("enrichment/find_barcodes", {"retailer": retailer}).fetchall()
    if is_queued:
        connection.run("enrichment/queue_lookups", {"retailer": retailer, "now": clock.now()})
    return {
        row["sku"]: KnownBarcode(row["state"], row["gtin"], (row["name"], row["brand"], row["size"]) if row["name"] else None)
        for row in found
    }

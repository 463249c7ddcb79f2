"""Barcodes: how many SKUs have one, by retailer, category and store, and what each night gained, as rows and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from include import clock
from include.diagnostics.coverage import draw_nights
from include.warehouse.engine import Warehouse


def report_barcodes(warehouse: Warehouse, retailer: str | None = None, nights: int = 14) -> dict[str, Any]:
    """Return ``retailers``, ``categories``, ``stores`` (the lowest share first) and ``nights`` (the newest first), a list of rows each.

    ``with_barcode`` are SKUs whose own barcode is accepted, ``share`` is theirs of ``skus`` (0 to 1). A night counts by what is accepted today.
    """
    last = clock.night_of(clock.now())
    values = {"retailer": retailer, "first_night": last - timedelta(days=nights - 1), "last_night": last}
    names = {"retailers": "summarise_barcodes", "categories": "summarise_barcodes_by_category", "stores": "summarise_barcodes_by_store"}
    with warehouse.transaction() as connection:
        found = {part: [dict(row) for row in connection.run(f"diagnostics/{name}", values).fetchall()] for part, name in names.items()}
        found["nights"] = [dict(row) for row in connection.run("diagnostics/summarise_barcodes_by_night", values).fetchall()]
    return found


def night_gains(warehouse: Warehouse, night: date) -> dict[str, dict[str, Any]]:
    """Return what one night gained, by retailer; a row as in ``nights`` of :func:`report_barcodes`."""
    values = {"retailer": None, "first_night": night, "last_night": night}
    with warehouse.transaction() as connection:
        return {row["retailer"]: dict(row) for row in connection.run("diagnostics/summarise_barcodes_by_night", values).fetchall()}


def draw_barcodes(nights: Sequence[dict[str, Any]], target: Path) -> None:
    """Draw ``nights`` of :func:`report_barcodes` into a file. Raises like :func:`include.diagnostics.coverage.draw_nights`."""
    panels = (
        ("share", "SKUs with a barcode", ".0%", 0.01), ("from_look_ups", "gained by look-ups", "d", 1), ("joined", "joined across retailers", "d", 1),
        ("requests_per_sku", "requests per SKU asked", ".3f", 0.001),
    )  # fmt: skip
    draw_nights(nights, panels, "Barcodes per retailer and night", target)

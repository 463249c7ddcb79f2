"""How much is known: stores, offers, age of prices and quarantine per retailer and night, as rows and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from include import clock
from include.errors import ConfigurationError
from include.warehouse.engine import Warehouse

CHART_FORMATS = ("html", "svg", "png")


def summarise_coverage(warehouse: Warehouse, retailer: str | None = None, nights: int = 14) -> list[dict[str, Any]]:
    """Return one row per retailer and night of the last ``nights``, the newest first.

    Each has ``stores`` (with a published store-day of the night) of ``stores_known`` (open supermarkets), ``offers`` (their accepted goods),
    ``quarantine_share`` (0 to 1 of the lines), ``held`` stores, ``stores_newest`` (stores whose newest complete store-day is this
    night's: their prices come from it), ``stores_inferred`` (members of groups whose prices come from it) and ``age_hours`` of the night's prices.
    """
    now = clock.now()
    values = {"retailer": retailer, "first_night": clock.night_of(now) - timedelta(days=nights - 1), "now": now}
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("diagnostics/summarise_coverage", values).fetchall()]


def draw_coverage(rows: Sequence[dict[str, Any]], target: Path) -> None:
    """Draw the rows of :func:`summarise_coverage` into a file. Raises like :func:`draw_nights`."""
    panels = (
        ("stores", "stores published", "d", 1), ("offers", "offers", "~s", 1), ("quarantine_share", "share in quarantine", ".1%", 0.001),
        ("age_hours", "age of prices in hours", "d", 1),
    )  # fmt: skip
    draw_nights(rows, panels, "Coverage per retailer and night", target)


def draw_nights(rows: Sequence[dict[str, Any]], panels: Sequence[tuple[str, str, str, float]], title: str, target: Path) -> None:
    """Draw rows per retailer and night into a file; its suffix (html, svg, png) is the format. No network is needed to draw or to see it.

    Args:
        rows: with ``retailer``, ``night`` and the fields of the panels.
        panels: field, title of its axis, number format and smallest step of the axis, one below the other.
        title: of the chart.
        target: the file.

    Raises:
        ConfigurationError: as :func:`check_target`.
    """
    import altair

    check_target(target)
    data = altair.Data(values=[row | {"night": row["night"].isoformat()} for row in rows])  # type: ignore[no-untyped-call]
    base = altair.Chart(data).encode(x=altair.X("night:T", title="night", scale=altair.Scale(type="utc")), color=altair.Color("retailer:N", title="retailer")).properties(width=620, height=150)  # fmt: skip
    drawn = [
        base.mark_line(point=True).encode(y=altair.Y(f"{field}:Q", title=axis, axis=altair.Axis(format=form, tickMinStep=step)))
        for field, axis, form, step in panels
    ]
    altair.vconcat(*drawn).properties(title=title).save(str(target), inline=target.suffix.lower() == ".html")  # the suffix is the format


def check_target(target: Path) -> None:
    """Check that a chart can be drawn into a file.

    Raises:
        ConfigurationError: its suffix is no format of a chart; a folder that does not exist.
    """
    if target.suffix.lstrip(".").lower() not in CHART_FORMATS:
        raise ConfigurationError(
            f"{target}: a chart is drawn as {', '.join(CHART_FORMATS)}. Name a file that ends in one, e.g. coverage.html."
        )
    if not target.parent.is_dir():
        raise ConfigurationError(f"there is no folder {target.parent}. Create it, or correct the name.")

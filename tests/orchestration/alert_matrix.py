"""What a person is told for each fault: the first lines of the alerts from its begin to its end.

``test_alert_matrix.py`` plays each fault and compares; ``make docs`` writes the table into docs/alerts.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stated:
    """A fault and all that is told of it, in order; ``…`` stands for any text."""

    fault: str
    told: tuple[str, ...]


_OVER = "info: over: …"

STATED = {
    "site_down": Stated(
        "A site answers every request with status 500; the run is cleared when it works",
        (
            "critical: scrape_aldi.canary failed: aldi: status 500 at http://…. Open it in a browser; when it answers again, clear the red task.",
            _OVER,
        ),
    ),
    "site_down_two_nights": Stated(
        "A site is down for two nights, and the watch finds nothing of it",
        (
            "critical: scrape_aldi.canary failed: aldi: status 500 at http://…. Open it in a browser; when it answers again, clear the red task.",
            _OVER,
        ),
    ),
    "unknown_store": Stated(
        "A run with a store id that does not exist; triggered again with a right one",
        ("critical: scrape_aldi.plan failed: aldi has no store G999. `aisleflow store list aldi` shows the known ones.", _OVER),
    ),
    "changed_page": Stated(
        "A page lost the field of the price; the adapter is mended",
        ("critical: scrape_aldi.canary failed: aldi: product rows have lost price, … and adapt include/retailers/aldi.py", _OVER),
    ),
    "two_stores": Stated(
        "Two of three stores fail after the canary; the next crawl is complete",
        (
            "warning: scrape_aldi.every_store_crawled failed: aldi: 2 of 3 stores failed (site unavailable): … Open the site in a browser; when it answers again, clear the red `crawl` tasks with downstream.",
            _OVER,
        ),
    ),
    "wall_answered": Stated(
        "The site refuses stores (bot wall); a person answers after seven hours of eight",
        (
            "warning: aldi refuses G102 ALDI Banksiastead, G101 ALDI Tallowhaven, G100 ALDI Heronhaven: approve or reject by Thu 19 Nov 04:00 AEDT (17:00 UTC)",
            "warning: reminder, 4 hours left: …",
            "warning: reminder, 1 hour left: …",
            _OVER,
        ),
    ),
    "wall_unanswered": Stated(
        "The site refuses stores, and no answer comes",
        ("warning: aldi refuses …", "warning: reminder, 4 hours left: …", "warning: reminder, 1 hour left: …", _OVER),
    ),
    "held": Stated(
        "The prices of a retailer's stores are a hundred times too high: held, then discarded",
        ("critical: 2 store-days held, aldi of 2026-11-18 (price_scale, stores_held)", _OVER),
    ),
    "conflicts_decided": Stated(
        "Two barcodes are contested; decided on the command line after half of the time",
        (
            "warning: 2 contested barcodes of coles: decide by Sat 21 Nov 20:00 AEDT (09:00 UTC)",
            "warning: reminder, 1 day left: …",
            _OVER,
        ),
    ),
    "conflicts_unanswered": Stated(
        "Two barcodes are contested, and no answer comes",
        (
            "warning: 2 contested barcodes of coles: decide by …",
            "warning: reminder, 1 day left: …",
            "warning: reminder, 9 hours left: …",
            _OVER,
        ),
    ),
    "proposals_decided": Stated(
        "Two pairs of products may be one; decided in Airflow and on the command line after half of the time",
        (
            "warning: 2 pairs of products that may be one: decide by Sat 21 Nov 20:00 AEDT (09:00 UTC)",
            "warning: reminder, 1 day left: …",
            _OVER,
        ),
    ),
    "proposals_unanswered": Stated(
        "Two pairs of products may be one, and no answer comes",
        (
            "warning: 2 pairs of products that may be one: decide by …",
            "warning: reminder, 1 day left: …",
            "warning: reminder, 9 hours left: …",
            _OVER,
        ),
    ),
    "warehouse_away": Stated(
        "The warehouse is away for half an hour: every task of three sweeps and an ingestion fails",
        ("critical: sweep_outbox.sweep failed: the warehouse does not respond. Is it up? `aisleflow status`, then clear the task.", _OVER),
    ),
    "address_fails": Stated(
        "The address of alerts refuses while a load fails; later it works",
        ("critical: … ingest_prices.load failed: file 7 is damaged. Stage it again.", _OVER),
    ),
}

"""Summary of a night: planned, crawled, ingested and missing stores, and stage durations."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from include import clock
from include.diagnostics.barcodes import night_gains
from include.diagnostics.ingest_summary import summarise
from include.errors import TransientError
from include.ledger.open_questions import NightIncomplete
from include.model.timetable import PLANNING_TIME, STORE_TIME, at
from include.retailer_names import RETAILERS
from include.warehouse.engine import Warehouse


def summary(warehouse: Warehouse, night: date) -> dict[str, Any]:
    """Return the night's summary.

    Returns:
        ``night``; ``retailers``: per retailer the stores planned / crawled / incomplete / failed / blocked / deferred / excluded, the values of
        :func:`include.diagnostics.ingest_summary.summarise`, ``barcodes`` (what the night gained: :func:`include.diagnostics.barcodes.night_gains`), and seconds per stage (``crawl``, ``load``, ``check``, ``publish``);
        ``reconciled``: pairs of SKUs joined by score, no longer joined and proposed, pairs of brands joined; ``missing``: planned stores without a published store-day.
    """
    with warehouse.transaction() as connection:
        crawled = {row["retailer"]: dict(row) for row in connection.run("diagnostics/summarise_crawl", {"night": night}).fetchall()}
        stages = {row["retailer"]: dict(row) for row in connection.run("diagnostics/time_stages", {"night": night}).fetchall()}
        day = {"since": at(night, time.min), "until": at(night + timedelta(days=1), time.min)}
        reconciled = connection.run("diagnostics/summarise_reconciliation", day).fetchone()
    ingested = {row["retailer"]: row for row in summarise(warehouse, night=night)}
    barcodes = night_gains(warehouse, night)
    retailers = []
    for retailer in (*RETAILERS, *sorted(set(ingested) - set(RETAILERS))):
        if retailer in crawled or retailer in ingested:
            crawl = crawled.get(retailer, {})
            times = {**stages.get(retailer, {}), **crawl}
            counts = {name: value for name, value in crawl.items() if not name.endswith("_at")}
            gained = {"barcodes": barcodes.get(retailer)}
            retailers.append({"retailer": retailer, **counts, **ingested.get(retailer, {}), **gained, "seconds": _seconds(times)})
    return {"night": night.isoformat(), "retailers": retailers, "reconciled": dict(reconciled or {}), "missing": missing(warehouse, night)}


def missing(warehouse: Warehouse, night: date) -> list[dict[str, Any]]:
    """Return planned stores without a published store-day: retailer, store_id, state, reason, file_id. A store that is under way is not missing yet."""
    values = {
        "night": night,
        "now": clock.now(),
        "crawl_until": at(night, warehouse.settings.timetable.crawl_until),
        "store_time": STORE_TIME,
    }
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("diagnostics/list_missing", values).fetchall()]


def raise_if_missing(warehouse: Warehouse, night: date) -> None:
    """Raise if a night is incomplete.

    Raises:
        NightIncomplete: a retailer has no plan, or planned stores have no published store-day; lists them with the next step of each.
        TransientError: nothing is missing, but crawls are still under way within their time: look again later.
    """
    with warehouse.transaction() as connection:
        rows = connection.run("diagnostics/list_planned_retailers", {"night": night}).fetchall()
    planned = {row["retailer"] for row in rows}
    lines, under_way, absent = list[str](), list[str](), list[dict[str, Any]]()
    for retailer in [retailer for retailer in RETAILERS if retailer not in planned]:
        if clock.now() < at(night, warehouse.settings.timetable.crawl_from(retailer)) + PLANNING_TIME:
            under_way.append(f"  {retailer}: its crawl begins at {warehouse.settings.timetable.crawl_from(retailer):%H:%M}")
        else:
            absent.append({"retailer": retailer, "state": "not_planned"})
            lines.append(f"  {retailer}: nothing was planned. Look at the DAG scrape_{retailer}: is it paused, has its run failed?")
    for row in missing(warehouse, night):
        (under_way if row["state"] == UNDER_WAY else lines).append(_describe_missing(row))
        if row["state"] != UNDER_WAY:
            absent.append(row)
    listed = "\nUnder way, not missing yet:\n" + "\n".join(under_way) if under_way else ""
    if lines:
        summary_line = f"the night of {night} is incomplete, {len(lines)} open item(s); each is listed with what to do:"
        raise NightIncomplete(summary_line + "\n" + "\n".join(lines) + listed + "\nThen clear this task.", absent)
    if under_way:
        raise TransientError(f"the night of {night} is not over, nothing is missing so far; this task looks again.{listed}")


def _describe_missing(row: dict[str, Any]) -> str:
    reason = f": {str(row['reason']).partition(chr(10))[0]}" if row["reason"] else ""  # the first line of a report is its summary
    return f"  {row['retailer']} {row['store_id']}: {row['state'].replace('_', ' ')}{reason}. {_NEXT_STEPS.get(row['state'], _NEXT_STEPS['waiting']).format(**row)}"


#: State of a store whose crawl runs, or may still begin.
UNDER_WAY = "under_way"
#: Next step per state; formatted with the row of sql/diagnostics/list_missing.sql.
_NEXT_STEPS = {
    "held": "Inspect: aisleflow quarantine show {file_id}; then release or discard it.",
    "refused": "Inspect: aisleflow quarantine show {file_id}; then clear the store's crawl task to stage it again.",
    "failed": "Clear the store's failed crawl task.",
    "blocked": "The site refuses requests: check it, then clear the store's crawl task.",
    "not_begun": "Clear its crawl task, or leave it: it is planned first tomorrow.",
    "interrupted": "Its crawl began and recorded no outcome (killed?): clear its crawl task; it continues from the landed pages.",
    UNDER_WAY: "Its crawl runs, or may still begin.",
    "crawled": "Its file is not ingested yet: look at ingest_prices and enrich_barcodes (paused? failed?).",
    "waiting": "It is waiting for ingestion: look at ingest_prices (paused? failed?), or wait for sweep_outbox.",
}


def _seconds(times: dict[str, datetime]) -> dict[str, float]:
    stages = {
        "crawl": ("crawl_started_at", "crawl_finished_at"), "to_ingestion": ("crawl_finished_at", "registered_at"), "load": ("registered_at", "loaded_at"),
        "check": ("loaded_at", "checked_at"), "publish": ("checked_at", "published_at"),
    }  # fmt: skip
    return {
        stage: round((times[end] - times[start]).total_seconds(), 1)
        for stage, (start, end) in stages.items()
        if times.get(start) and times.get(end)
    }

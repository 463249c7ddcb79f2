"""Which failures need no alert of their own: a person was told of their cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.alerts.troubles import STORAGE, WAREHOUSE
from include.crawling.run_report import QuestionLapsed
from include.ledger.open_questions import HeldStoreDays, NightIncomplete

#: States of a missing store-day whose cause stands in the ingestion; every other one stands in the crawl.
_INGESTING = frozenset({"refused", "waiting", "crawled"})


def is_known(error: BaseException | str | None, told: Sequence[dict[str, Any]]) -> bool:
    """Return whether a failure repeats what a person was told.

    Args:
        told: as :func:`include.alerts.troubles.list_told` returns.
    """
    held = {file_id for row in told for file_id in row["file_ids"]}
    if isinstance(error, QuestionLapsed):
        return True  # the end of the question says it
    if isinstance(error, HeldStoreDays):
        return all(file["file_id"] in held for file in error.files)
    if isinstance(error, NightIncomplete):
        return all(_is_told(item, told, held) for item in error.missing)
    return False


def _is_told(item: dict[str, Any], told: Sequence[dict[str, Any]], held: set[int]) -> bool:
    if item["state"] == "held":
        return item["file_id"] in held
    if item["state"] == "blocked":
        return any(row["kind"] == "question" and row["retailer"] == item["retailer"] for row in told)
    dag_ids = {"ingest_prices", "enrich_barcodes"} if item["state"] in _INGESTING else {f"scrape_{item['retailer']}"}
    return any(
        (row["retailer"] == item["retailer"] and (row["source"] or "").partition(".")[0] in dag_ids)
        or row["alert_key"] in (WAREHOUSE, STORAGE)
        for row in told
    )

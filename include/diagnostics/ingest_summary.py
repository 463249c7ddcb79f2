"""Summary of ingestion per retailer and per file, with reasons of refused lines: data for the command line and the night's summary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from include.warehouse.engine import Warehouse


def summarise(warehouse: Warehouse, *, file_ids: Sequence[int] | None = None, night: date | None = None) -> list[dict[str, Any]]:
    """Return one entry per retailer: store-days by state, offers, created / updated / unchanged / unavailable / outdated /
    delisted / folded / quarantined, and ``reasons``: rule id → refused lines, most frequent first.

    Args:
        file_ids: only these staged files.
        night: only store-days of this night.
    """
    values = {"file_ids": None if file_ids is None else list(file_ids), "night": night}
    with warehouse.transaction() as connection:
        retailers = connection.run("diagnostics/summarise_ingestion", values).fetchall()
        reasons = connection.run("diagnostics/list_reasons", values).fetchall()
    return [{**row, "reasons": {r["rule_id"]: r["lines"] for r in reasons if r["retailer"] == row["retailer"]}} for row in retailers]


def list_files(warehouse: Warehouse, file_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the state of each file, oldest store-day first."""
    with warehouse.transaction() as connection:
        return [dict(row) for row in connection.run("diagnostics/list_files", {"file_ids": list(file_ids)}).fetchall()]

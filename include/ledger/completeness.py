"""Completeness of store-days without a manifest, estimated from their numbers of goods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from include.warehouse.engine import Connection


def estimate_completeness(connection: Connection, file_ids: Sequence[int], rows_share: float, baseline_days: int) -> None:
    """Set ``is_complete`` of those checked files that came without a manifest, in time order, not in the order of arrival.

    Complete = at least ``rows_share`` of the goods (distinct SKUs accepted) of the store's last complete store-day; without one, of the
    median of the retailer's store-days within ``baseline_days``; without any: incomplete.
    """
    for file in connection.run("ledger/list_unknown_completeness", {"file_ids": list(file_ids)}).fetchall():
        is_complete, reason = _estimate(connection, file, rows_share, baseline_days)
        connection.execute(
            "UPDATE ops.staged_file SET is_complete = %s, completeness_reason = %s WHERE file_id = %s",
            (is_complete, reason, file["file_id"]),
        )


def next_revision(
    connection: Connection, retailer: str, rows_share: float, baseline_days: int, since: datetime | None
) -> dict[str, Any] | None:
    """Return the oldest published or checked store-day whose estimate is another now, because others came or went; ``None``: there is none.

    Args:
        since: instant of the oldest store-day that came or went; ``None``: of those about to be published.

    Returns:
        file_id, store_id, observed_at, is_complete and reason of the new estimate.
    """
    values = {"retailer": retailer, "baseline_days": baseline_days, "since": since}
    for file in connection.run("ledger/list_estimated", values).fetchall():
        is_complete, reason = _estimate(connection, file, rows_share, baseline_days)
        if is_complete != file["is_complete"]:
            return {**file, "is_complete": is_complete, "reason": reason}
    return None


def set_completeness(connection: Connection, values: Mapping[str, Any]) -> None:
    """Change the estimate of a store-day (file_id, is_complete, reason); store-days kept out by it as the newer complete one are published."""
    connection.run("ledger/set_completeness", values)
    connection.run("ledger/publish_outdated", values)


def _estimate(connection: Connection, file: Mapping[str, Any], rows_share: float, baseline_days: int) -> tuple[bool, str]:
    base = connection.run("ledger/complete_baseline", {"file_id": file["file_id"], "baseline_days": baseline_days}).fetchone()
    assert base is not None
    if base["last_complete_goods"] is not None:
        expected, against = base["last_complete_goods"], f"the store's last complete store-day ({base['last_complete_at']:%Y-%m-%d})"
    elif base["median_files"]:
        expected, against = (
            base["median_goods"],
            f"the median of {base['median_files']} store-days of the retailer within {baseline_days} days",
        )
    else:
        expected, against = None, "no other store-day to compare with"
    is_complete = expected is not None and file["goods"] >= rows_share * expected
    return is_complete, f"{file['goods']} SKUs; {against}" + (f" has {expected:.0f}" if expected is not None else "")

"""Completeness of store-days without a manifest, estimated from their numbers of goods."""

from __future__ import annotations

from collections.abc import Sequence

from include.warehouse.engine import Connection


def estimate_completeness(connection: Connection, file_ids: Sequence[int], rows_share: float, baseline_days: int) -> None:
    """Set ``is_complete`` of those checked files that came without a manifest, in time order, not in the order of arrival.

    Complete = at least ``rows_share`` of the goods (distinct SKUs accepted) of the store's last complete store-day; without one, of the
    median of the retailer's store-days within ``baseline_days``; without any: incomplete.
    """
    unknown = connection.run("ledger/list_unknown_completeness", {"file_ids": list(file_ids)}).fetchall()
    for file in unknown:
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
        reason = f"{file['goods']} SKUs; {against}" + (f" has {expected:.0f}" if expected is not None else "")
        connection.execute(
            "UPDATE ops.staged_file SET is_complete = %s, completeness_reason = %s WHERE file_id = %s",
            (is_complete, reason, file["file_id"]),
        )
